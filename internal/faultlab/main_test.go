package faultlab_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain holds every server to the rule that nothing survives its host: no goroutine, and so no listener or
// connection.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
