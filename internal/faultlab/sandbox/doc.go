// Package sandbox has the kernel refuse system calls of this process, as a container's seccomp profile does (Linux,
// amd64 and arm64).
package sandbox
