package web

import (
	"testing"

	"go.uber.org/goleak"

	"errno_exporter/internal/bench"
)

func TestMain(m *testing.M) {
	if !bench.ServeIfAsked() {
		goleak.VerifyTestMain(m)
	}
}
