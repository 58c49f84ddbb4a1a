package main

import (
	"os"
	"syscall"
	"time"
	"unsafe"
)

// processorTime is what all threads of another process have used so far, those that have ended included. The number of
// its clock follows from its id as that of clock_getcpuclockid does:
// https://man7.org/linux/man-pages/man3/clock_getcpuclockid.3.html
func processorTime(pid int) (time.Duration, error) {
	const scheduled = 2
	var t syscall.Timespec
	_, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, uintptr(^pid<<3|scheduled), uintptr(unsafe.Pointer(&t)), 0) //nolint:gosec // as the system wants it
	if errno != 0 {
		return 0, os.NewSyscallError("clock_gettime", errno)
	}
	return time.Duration(t.Nano()), nil
}
