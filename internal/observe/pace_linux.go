package observe

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// pace wakes the observer at intervals, by a timer of the kernel (timerfd_create(2)). A timer of Go's runtime wakes two
// more threads each time: one that looks for work, and the runtime's monitor.
type pace struct {
	file   *os.File
	number [8]byte // of intervals since the last read
}

func newPace(interval time.Duration) (*pace, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("make a timer", err)
	}
	p := &pace{file: os.NewFile(uintptr(fd), "timer")}
	each := unix.NsecToTimespec(max(1, interval.Nanoseconds()))
	if err := unix.TimerfdSettime(fd, 0, &unix.ItimerSpec{Interval: each, Value: each}, nil); err != nil {
		p.close()
		return nil, os.NewSyscallError("set a timer", err)
	}
	return p, nil
}

// wait waits for the next interval, and reports false once the pace is closed.
func (p *pace) wait() bool {
	_, err := p.file.Read(p.number[:])
	return err == nil
}

func (p *pace) close() { _ = p.file.Close() } // it was only read
