package prober_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain holds every test to the rule that nothing survives a probe: no goroutine, and so no descriptor or timer that one waits on.
func TestMain(m *testing.M) {
	if os.Getenv(benchServerVariable) != "" {
		serveBench()
		return
	}
	goleak.VerifyTestMain(m)
}
