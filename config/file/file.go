// Package file reads the files that a configuration is or names, so that none of them can hold up whoever reads it.
package file

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// How files are read, so that none of them can hold up whoever reads it.
//
//   - What is no regular file may never end, or never begin: a named pipe waits for its writer. The configuration
//     itself and what a command line names may be one (standard input, a shell's <(…)): it is read for pipeTimeout at
//     most.
//   - Files that a configuration names are read again and again, by probes too: they have to be regular. Links are
//     followed, as Kubernetes makes them.
//   - No file has more than maxFile bytes.

const (
	pipeTimeout = 10 * time.Second
	maxFile     = 64 << 20
)

// Read reads a file of any kind.
func Read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: errors.Unwrap(err)}
	}
	flags := os.O_RDONLY
	if !info.Mode().IsRegular() {
		flags |= syscall.O_NONBLOCK // opening a named pipe waits for its writer otherwise (fifo(7))
	}
	file, err := os.OpenFile(path, flags, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close() // it was only read
	if !info.Mode().IsRegular() {
		// a directory, or a device such as /dev/null, has none, and does not wait
		_ = file.SetReadDeadline(time.Now().Add(pipeTimeout))
	}
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, fmt.Errorf("read %s: it is a %s that nobody ended within %s", path, kindOf(info.Mode()),
			pipeTimeout)
	case err != nil:
		return nil, err
	case len(data) > maxFile:
		return nil, fmt.Errorf("read %s: it has more than %d MiB", path, maxFile>>20)
	}
	return data, nil
}

// CheckRegular refuses a file that is there and not regular.
func CheckRegular(path string) error {
	info, err := os.Stat(path)
	if err != nil || info.Mode().IsRegular() {
		return nil // what is wrong with a file that is not there is said by who reads it
	}
	return fmt.Errorf("file %q is a %s, want a regular file: it is read again and again", path, kindOf(info.Mode()))
}

// kindOf is what a file is that is not regular.
func kindOf(mode fs.FileMode) string {
	switch mode.Type() {
	case fs.ModeDir:
		return "directory"
	case fs.ModeNamedPipe:
		return "named pipe"
	case fs.ModeSocket:
		return "socket"
	}
	return "device"
}
