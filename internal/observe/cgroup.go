package observe

import (
	"path"
	"strings"
	"unicode/utf8"
)

// The kernel reports the ID of the cgroup whose process made a socket (INET_DIAG_CGROUP_ID, Linux 5.9). It is the inode
// of the cgroup's directory, and the directory's path names the container or the unit: by convention of the container
// runtimes and of systemd (systemd.slice(5), org.freedesktop.systemd1(5)).

const (
	idLength      = 64 // digits of a container's ID: runtimes take 256 random bits
	shownLength   = 12 // of these, as `docker ps` shows
	maxNameLength = 64 // characters of a name
)

// runtimes are the prefixes of a container's cgroup, and what the kubelet calls the runtime (containerID of a pod's
// status). Other prefixes are taken as they are.
var runtimes = map[string]string{"cri-containerd": "containerd", "nerdctl": "containerd", "crio": "cri-o",
	"libpod": "podman", "": "container"}

// containerName is the name of the container whose cgroup has a path, or of the systemd unit, or the path. Of nested
// ones it is the innermost. The root has none: what is there belongs to no container.
func containerName(cgroup string) string {
	if cgroup == "/" {
		return ""
	}
	parts := strings.Split(strings.Trim(cgroup, "/"), "/")
	for i := len(parts) - 1; i >= 0; i-- {
		if name := containerPart(parts, i); name != "" {
			return shortName(name)
		}
	}
	for i := len(parts) - 1; i >= 0; i-- {
		if unit := path.Ext(parts[i]); unit == ".service" || unit == ".scope" {
			return shortName(parts[i])
		}
	}
	return shortName("/" + strings.Join(parts, "/"))
}

// containerPart is the name of the container that a part of a path names; empty if it names none.
func containerPart(parts []string, i int) string {
	if name, is := strings.CutPrefix(parts[i], "lxc.payload."); is && name != "" {
		return "lxc://" + name
	}
	if i > 0 && parts[i-1] == "lxc" {
		return "lxc://" + parts[i]
	}
	part := strings.TrimSuffix(parts[i], ".scope")
	if len(part) < idLength || !isID(part[len(part)-idLength:]) {
		return ""
	}
	prefix, id := part[:len(part)-idLength], part[len(part)-idLength:]
	if prefix != "" && !strings.HasSuffix(prefix, "-") {
		return ""
	}
	if prefix == "" && i > 0 && parts[i-1] == "docker" { // its driver cgroupfs: /docker/ID
		prefix = "docker"
	}
	prefix = strings.TrimSuffix(prefix, "-")
	if runtime, known := runtimes[prefix]; known {
		prefix = runtime
	}
	return prefix + "://" + id[:shownLength]
}

func isID(text string) bool { return strings.Trim(text, "0123456789abcdef") == "" }

// shortName is a name in valid UTF-8 that is not too long: of a long one the end, which tells more.
func shortName(name string) string {
	name = strings.ToValidUTF8(name, "\ufffd")
	if n := utf8.RuneCountInString(name); n > maxNameLength {
		name = "…" + string([]rune(name)[n-maxNameLength+1:])
	}
	return name
}

// cgroupMount is where the cgroups of version 2 are, by the text of /proc/self/mountinfo (proc(5)): the mount that
// shows most of the hierarchy. In a cgroup namespace the own mount has the root /, and one of the host's /../.. or the
// like (cgroup_namespaces(7)). It is empty where there is none.
func cgroupMount(mountinfo string) string {
	best, bestUp := "", -1
	for line := range strings.Lines(mountinfo) {
		mount, kind, _ := strings.Cut(line, " - ")
		fields := strings.Fields(mount)
		if len(fields) < 5 || !strings.HasPrefix(kind, "cgroup2 ") {
			continue
		}
		up := 2 * strings.Count(fields[3], "/..")
		if up > 0 || fields[3] == "/" { // a bind mount of one cgroup shows less
			up++
		}
		if up > bestUp {
			best, bestUp = unescapedMount.Replace(fields[4]), up
		}
	}
	return best
}

// unescapedMount undoes what the kernel escapes in mountinfo.
var unescapedMount = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
