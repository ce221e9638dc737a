package metrics

import (
	"math"
	"strconv"

	"errno_exporter/internal/target/state"
)

// boundTexts are the values of the label le, by dialect and phase.
var boundTexts = [2][state.PhaseCount][]string{plainText: texts(plainText), openMetrics: texts(openMetrics)}

func texts(d dialect) (all [state.PhaseCount][]string) {
	for phase := range all {
		for _, bound := range state.Bounds(phase) {
			text := strconv.FormatFloat(bound, 'g', -1, 64)
			if d == openMetrics && bound == math.Trunc(bound) {
				text += ".0"
			}
			all[phase] = append(all[phase], text)
		}
		all[phase] = append(all[phase], "+Inf")
	}
	return all
}
