package observe

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"errno_exporter/internal/claims"
)

// What the runtimes and systemd call a container's cgroup, and what is shown of it.
func TestContainerName(t *testing.T) {
	id := strings.Repeat("0123456789abcdef", 4)
	for _, row := range []struct{ path, want string }{
		{"/", ""},
		{"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1f2e3d4c_0000_4000_8000_000000000001.slice/" +
			"cri-containerd-" + id + ".scope", "containerd://0123456789ab"},
		{"/kubepods.slice/kubepods-pod1f2e.slice/crio-" + id + ".scope", "cri-o://0123456789ab"},
		{"/kubepods.slice/kubepods-pod1f2e.slice/crio-" + id + ".scope/container", "cri-o://0123456789ab"},
		{"/kubepods/burstable/pod1f2e3d4c-0000-4000-8000-000000000001/" + id, "container://0123456789ab"},
		{"/system.slice/docker-" + id + ".scope", "docker://0123456789ab"},
		{"/docker/" + id, "docker://0123456789ab"},
		{"/docker/" + id + "/system.slice/nginx.service", "docker://0123456789ab"},
		{"/docker/" + id + "/kubelet.slice/cri-containerd-" + strings.Repeat("f", 64) + ".scope",
			"containerd://ffffffffffff"},
		{"/ecs/1f2e/" + id, "container://0123456789ab"},
		{"/machine.slice/libpod-" + id + ".scope/container", "podman://0123456789ab"},
		{"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + id + ".scope", "podman://0123456789ab"},
		{"/machine.slice/libpod-conmon-" + id + ".scope", "libpod-conmon://0123456789ab"}, // podman's monitor of it
		{"/system.slice/nerdctl-" + id + ".scope", "containerd://0123456789ab"},
		{"/lxc/web", "lxc://web"},
		{"/lxc.payload.web/system.slice/nginx.service", "lxc://web"},
		{"/system.slice/nginx.service", "nginx.service"},
		{"/system.slice/docker.service/worker", "docker.service"},
		{"/user.slice/user-1000.slice/session-3.scope", "session-3.scope"},
		{"/user.slice/user-1000.slice/user@1000.service/app.slice/app-shop.scope", "app-shop.scope"},
		{"/a/docker-" + id[:40] + ".scope", "docker-" + id[:40] + ".scope"},
		{"/a/docker-" + strings.ToUpper(id) + ".scope", "…" + strings.ToUpper(id)[7:] + ".scope"},
		{"/a/docker" + id + ".scope", "…" + id[7:] + ".scope"},
		{"/batch/job-7", "/batch/job-7"},
		{"/.scope/x", ".scope"},
		{"/a\xffb", "/a\ufffdb"},
		{"/" + strings.Repeat("a", 100) + "/job-7", "…" + strings.Repeat("a", 57) + "/job-7"},
	} {
		if got := containerName(row.path); got != row.want {
			t.Errorf("%q: %q, want %q", row.path, got, row.want)
		}
	}
}

// Where the cgroups are, as proc(5) and cgroup_namespaces(7) describe it.
func TestCgroupMount(t *testing.T) {
	const (
		pure   = "35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
		hybrid = "40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n" +
			"41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
		own  = "700 690 0:30 / /sys/fs/cgroup ro - cgroup2 cgroup ro\n"
		host = "720 690 0:30 /../../.. /host/sys/fs/cgroup ro - cgroup2 cgroup2 rw\n"
	)
	for _, row := range []struct{ name, text, want string }{
		{"version 2", pure, "/sys/fs/cgroup"},
		{"both versions", hybrid, "/sys/fs/cgroup/unified"},
		{"version 1", "40 31 0:37 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n", ""},
		{"a container", own, "/sys/fs/cgroup"},
		{"a container that has the host's", own + host, "/host/sys/fs/cgroup"},
		{"the same, in another order", host + own, "/host/sys/fs/cgroup"},
		{"one cgroup, and all", "1 2 0:30 /a/b /x rw - cgroup2 cgroup2 rw\n" + pure, "/sys/fs/cgroup"},
		{"one cgroup alone", "1 2 0:30 /a/b /x rw - cgroup2 cgroup2 rw\n", "/x"},
		{"a blank", `1 2 0:30 / /a\040b rw - cgroup2 cgroup2 rw` + "\n", "/a b"},
		{"broken", "1 2 - cgroup2\n\n-\n - cgroup2 x y\n1 2 3 4 - cgroup2 x", ""},
		{"nothing", "", ""},
	} {
		if got := cgroupMount(row.text); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}

// Containers have at most 100 names, which others get when there was no connection for an hour.
func TestContainersAreBounded(t *testing.T) {
	c := newContainers()
	now := moment(1)
	path := func(i int) string { return fmt.Sprintf("/system.slice/s%d.service", i) }
	for i := range maxContainers {
		if at := c.add(uint64(i), path(i), now); c.names[at] != fmt.Sprintf("s%d.service", i) {
			t.Fatalf("the name of %d is %q", i, c.names[at])
		}
	}
	for _, row := range []struct {
		name string
		id   uint64
		path string
		want string
	}{
		{"one more", 1000, path(1000), "other"},
		{"another cgroup of a container that has a name", 1001, path(7) + "/worker", "s7.service"},
		{"not found", 1002, "", ""},
		{"the root", 1003, "/", ""},
	} {
		if got := c.names[c.add(row.id, row.path, now)]; got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
	hour := moment(remembered / (10 * time.Millisecond))
	if gone := c.expired(now + hour); gone != nil {
		t.Errorf("after an hour %v are gone, want none", gone)
	}
	seven := c.places[7]
	c.last[seven] = now + 1
	gone := c.expired(now + hour + 1)
	if len(gone) != maxContainers-1 || gone[seven] != "" {
		t.Errorf("later %d are gone (%q), want all but one", len(gone), gone[seven])
	}
	want := map[uint64]place{7: seven, 1000: others, 1001: seven, 1002: 0, 1003: 0}
	if !maps.Equal(c.places, want) {
		t.Errorf("places %v, want %v", c.places, want)
	}
	for i := range 3 * maxPlaces {
		c.add(uint64(10_000+i), "", now)
	}
	if len(c.places) > maxPlaces {
		t.Errorf("%d cgroups are remembered, want at most %d", len(c.places), maxPlaces)
	}
	claims.Prove(t, "containers and units that are named", maxContainers, maxPlaces)
}
