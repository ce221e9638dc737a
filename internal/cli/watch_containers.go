package cli

import (
	"fmt"
	"slices"

	"errno_exporter/internal/observe"
	"errno_exporter/internal/record"
)

// maxContainerLines bounds the containers of a target in the live table.
const maxContainerLines = 8

// containerLines are a target's connections by container, for the live table; none where no container has a name.
func containerLines(now *observe.Connections) (lines []string) {
	names := observe.SortedContainers(now.Containers)
	for _, name := range names[:min(len(names), maxContainerLines)] {
		lines = append(lines, "  "+name+": "+now.Containers[name].String())
	}
	if n := len(names) - len(lines); n > 0 {
		lines = append(lines, fmt.Sprintf("  … %d containers more", n))
	}
	return lines
}

// containers prints a target's connections by container.
func (p *Printer) containers(now *observe.Connections) {
	for _, name := range observe.SortedContainers(now.Containers) {
		p.line("  %s", record.Printable(name+": "+now.Containers[name].String()))
	}
}

// containerTitle is the title of the last column, which is empty where no container has a name.
func (v *view) containerTitle() string {
	if slices.ContainsFunc(v.sockets, func(s observe.Socket) bool { return s.Container != "" }) {
		return "  container"
	}
	return ""
}
