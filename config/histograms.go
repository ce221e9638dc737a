package config

import (
	"fmt"
	"slices"
	"strings"
)

// Histograms is which histograms a target has of the durations of its phases.
type Histograms string

// The kinds of histograms.
const (
	AutoHistograms    Histograms = "auto"    // native for clients that ask for protocol buffers; classic of two phases
	NativeHistograms  Histograms = "native"  // of all phases, for clients that ask for protocol buffers
	ClassicHistograms Histograms = "classic" // of all phases, for all clients
	NoHistograms      Histograms = "none"
)

// HistogramKinds are the values of the key histograms and of --metrics.histograms.
func HistogramKinds() []string {
	return []string{string(AutoHistograms), string(NativeHistograms), string(ClassicHistograms), string(NoHistograms)}
}

// checkHistograms checks the key histograms of a target; empty is as if it was absent.
func checkHistograms(kind Histograms) error {
	if kinds := HistogramKinds(); kind != "" && !slices.Contains(kinds, string(kind)) {
		return fmt.Errorf("want one of: %s", strings.Join(kinds, ", "))
	}
	return nil
}
