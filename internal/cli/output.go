package cli

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"sync"
)

// Output is standard output. It keeps the first error: a command whose output was lost, because the disk is full, did
// not succeed.
type Output struct {
	to *os.File

	mu  sync.Mutex // guards err
	err error
}

// NewOutput returns an Output that writes to a file.
func NewOutput(to *os.File) *Output { return &Output{to: to} }

func (o *Output) Write(b []byte) (int, error) {
	n, err := o.to.Write(b)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.err = cmp.Or(o.err, err)
	return n, err
}

// Help is the output for package kingpin, which panics when it cannot write.
func (o *Output) Help() io.Writer { return help{o} }

type help struct{ to *Output }

func (h help) Write(b []byte) (int, error) {
	_, _ = h.to.Write(b) // which keeps the error
	return len(b), nil
}

// Status is a command's exit status: its own, unless its output was lost.
func (o *Output) Status(status int, messages io.Writer) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil {
		return status
	}
	return Refuse(messages, fmt.Errorf("the output is incomplete: %w", o.err))
}
