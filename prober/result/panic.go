package result

import (
	"errors"
	"fmt"
)

// PanicError is a bug of ours that ended an attempt: the Err of a Failure with reason unknown. It ends nothing else.
type PanicError struct {
	Value any
	Stack []byte // of the goroutine that panicked
}

// Error is the value of the panic, without the stack.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Panicked is the bug of ours that ended the probe; nil if none did.
func (r *Result) Panicked() *PanicError {
	if r.Failure == nil {
		return nil
	}
	err, _ := errors.AsType[*PanicError](r.Failure.Err)
	return err
}
