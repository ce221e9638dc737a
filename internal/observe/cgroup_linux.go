package observe

import (
	"bytes"
	"encoding/binary"
	"os"

	"golang.org/x/sys/unix"
)

// maxCgroups bounds the directories of one search.
const maxCgroups = 20_000

// findCgroups opens the hierarchy of cgroups; empty where there is none to be seen.
func findCgroups() string {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return ""
	}
	return cgroupMount(string(text))
}

// search is one search for the paths of cgroups.
type search struct {
	wanted map[uint64]bool
	found  map[uint64]string
	buffer []byte
	read   int // directories
}

// cgroupPaths are the paths below a mount of the cgroups with these IDs, of those that are there.
func cgroupPaths(mount string, wanted map[uint64]bool) map[uint64]string {
	s := &search{wanted: wanted, found: map[uint64]string{}, buffer: make([]byte, 16<<10)}
	s.below(mount)
	return s.found
}

// below searches level by level: containers are rarely deep.
func (s *search) below(mount string) {
	var root unix.Stat_t
	if unix.Stat(mount, &root) == nil {
		s.compare(root.Ino, "/")
	}
	for level := []string{""}; len(level) > 0; {
		var next []string
		for _, directory := range level {
			if len(s.found) == len(s.wanted) || s.read >= maxCgroups {
				return
			}
			next = s.children(mount, directory, next)
		}
		level = next
	}
}

func (s *search) compare(id uint64, path string) {
	if s.wanted[id] {
		s.found[id] = path
	}
}

// children appends the paths of the cgroups in a directory. One that is gone meanwhile, or that may not be read, has
// none.
func (s *search) children(mount, directory string, to []string) []string {
	s.read++
	fd, err := unix.Open(mount+directory, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err != nil {
		return to
	}
	defer unix.Close(fd)
	for {
		n, err := unix.ReadDirent(fd, s.buffer)
		if err != nil || n <= 0 {
			return to
		}
		for b := s.buffer[:n]; len(b) > direntName; {
			length := int(binary.NativeEndian.Uint16(b[16:]))
			if length <= direntName || length > len(b) {
				break
			}
			name, _, _ := bytes.Cut(b[direntName:length], []byte{0})
			if b[18] == unix.DT_DIR && string(name) != "." && string(name) != ".." {
				path := directory + "/" + string(name)
				s.compare(binary.NativeEndian.Uint64(b), path)
				to = append(to, path)
			}
			b = b[length:]
		}
	}
}

// direntName is where the name begins in a struct linux_dirent64 (getdents64(2)): after the inode, an offset, the
// length of it all at 16, and the type at 18.
const direntName = 19
