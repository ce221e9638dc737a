package prober_test

import (
	"testing"

	"go.uber.org/goleak"

	"errno_exporter/internal/bench"
)

// TestMain holds every test to the rule that nothing survives a probe: no goroutine, and so no descriptor or timer that
// one waits on.
func TestMain(m *testing.M) {
	if bench.ServeIfAsked() {
		return
	}
	goleak.VerifyTestMain(m)
}
