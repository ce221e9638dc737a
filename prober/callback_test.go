package prober

import (
	"context"
	"testing"

	"errno_exporter/guard"
	"errno_exporter/prober/module"
)

// A panic that comes when the attempt is over is reported to the Prober's owner.
func TestLatePanicIsReported(t *testing.T) {
	var reported *guard.Panic
	a := New(Options{Panicked: func(p *guard.Panic) { reported = p }}).newAttempt(context.Background(), Target{},
		module.New("m"), "")
	a.guarded(func() {})
	if a.caught(&guard.Panic{Value: "late"}); reported == nil || reported.Value != "late" || a.record.Failure != nil {
		t.Errorf("reported %v, failure %v, want the panic reported and no failure", reported, a.record.Failure)
	}
}
