package metrics

import (
	"math"
	"strconv"

	"errno_exporter/internal/target/state"
)

// boundTexts are the values of the label le, by dialect.
var boundTexts = [2][]string{plainText: texts(plainText), openMetrics: texts(openMetrics)}

func texts(d dialect) []string {
	var all []string
	for _, bound := range state.Bounds {
		text := strconv.FormatFloat(bound, 'g', -1, 64)
		if d == openMetrics && bound == math.Trunc(bound) {
			text += ".0"
		}
		all = append(all, text)
	}
	return append(all, "+Inf")
}
