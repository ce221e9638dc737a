// Package counters reads what the kernel counts when something goes wrong, and tells what rose around a failure.
//
//	list.go     which counters there are, and what each means
//	read.go     the files: from texts to a Sample
//	sampler.go  when they are read: at most once a second
//	around.go   what rose from before a failure to after it
package counters

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// Sample is the values of the counters at a time.
type Sample struct {
	At     time.Time // when reading began
	values [len(All)]uint64
	known  [len(All)]bool
}

// Sum is the sum of counters by their names, and whether at least one of them was read.
func (s *Sample) Sum(names ...string) (sum uint64, known bool) {
	for i := range All {
		for _, name := range names {
			if s != nil && All[i].Name == name && s.known[i] {
				sum, known = sum+s.values[i], true
			}
		}
	}
	return sum, known
}

// files are where the counters are, below /proc/net, and how their texts are read.
var files = [...]struct {
	path  string
	parse func(*reader, []byte)
}{
	{"snmp", (*reader).pairs},
	{"snmp6", (*reader).lines},
	{"netstat", (*reader).pairs},
	{"stat/nf_conntrack", (*reader).conntrack},
	{"softnet_stat", (*reader).softnet},
}

// reader reads samples. It is used by one goroutine at a time.
type reader struct {
	folder string
	index  map[string]int // of the counters in All, by name
	text   bytes.Buffer   // of the file that is being read
	name   []byte         // of the counter that is being read
	into   *Sample
}

func newReader(folder string) *reader {
	r := &reader{folder: folder, index: make(map[string]int, len(All))}
	for i := range All {
		r.index[All[i].Name] = i
	}
	return r
}

// read takes a sample. What cannot be read is not known; the error says which files could not.
func (r *reader) read() (*Sample, error) {
	r.into = &Sample{At: time.Now()}
	var failed []error
	for _, f := range files {
		if err := r.load(filepath.Join(r.folder, f.path)); err != nil {
			failed = append(failed, err)
			continue
		}
		f.parse(r, r.text.Bytes())
	}
	return r.into, errors.Join(failed...)
}

// maxFile bounds a file in bytes: the longest has a line for each CPU.
const maxFile = 1 << 20

func (r *reader) load(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	r.text.Reset()
	_, err = r.text.ReadFrom(io.LimitReader(file, maxFile))
	return err
}

// add adds a number to a counter, if there is one of that name.
func (r *reader) add(group, name, number []byte, base int) {
	r.name = append(append(r.name[:0], group...), name...)
	i, ok := r.index[string(r.name)]
	if !ok {
		return
	}
	n, err := strconv.ParseUint(string(number), base, 64)
	if err != nil {
		return
	}
	r.into.values[i] += n
	r.into.known[i] = true
}

// pairs reads lines in pairs: "Tcp: RetransSegs OutRsts", then "Tcp: 1 0" (net/ipv4/proc.c). A pair that does not fit
// together is left out.
func (r *reader) pairs(text []byte) {
	var names []byte
	for line := range bytes.Lines(text) {
		if names == nil {
			names = line
			continue
		}
		group, heads, ok := bytes.Cut(names, []byte(":"))
		other, values, both := bytes.Cut(line, []byte(":"))
		if !ok || !both || !bytes.Equal(group, other) {
			names = line // it may be the first of a pair
			continue
		}
		r.columns(group, [2][]byte{heads, values})
		names = nil
	}
}

// columns reads a line of names and one of numbers, of the same length.
func (r *reader) columns(group []byte, lines [2][]byte) {
	if fields(lines[0]) != fields(lines[1]) {
		return
	}
	names, values := lines[0], lines[1]
	for {
		var name, value []byte
		name, names = field(names)
		value, values = field(values)
		if name == nil {
			return
		}
		r.add(group, name, value, 10)
	}
}

// lines reads lines of a name and a number (net/ipv6/proc.c).
func (r *reader) lines(text []byte) {
	for line := range bytes.Lines(text) {
		name, rest := field(line)
		number, _ := field(rest)
		r.add(nil, name, number, 10)
	}
}

// conntrack reads a line of names and, for each CPU, one of hexadecimal numbers
// (net/netfilter/nf_conntrack_standalone.c). The first column is the same in all of them and no counter.
func (r *reader) conntrack(text []byte) {
	names, rows, _ := bytes.Cut(text, []byte("\n"))
	for row := range bytes.Lines(rows) {
		if fields(row) != fields(names) {
			continue
		}
		heads := names
		for {
			var name, value []byte
			name, heads = field(heads)
			value, row = field(row)
			if name == nil {
				break
			}
			r.add([]byte("conntrack "), name, value, 16)
		}
	}
}

// softnet reads, for each CPU, a line of hexadecimal numbers, the second and the third of which are counted here
// (softnet_seq_show in net/core/net-procfs.c).
func (r *reader) softnet(text []byte) {
	for row := range bytes.Lines(text) {
		_, row = field(row)
		for _, name := range []string{"dropped", "time_squeeze"} {
			var value []byte
			value, row = field(row)
			r.add([]byte("softnet "), []byte(name), value, 16)
		}
	}
}

// field is the first field of a line, nil if there is none, and the rest.
func field(line []byte) (first, rest []byte) {
	begin := 0
	for begin < len(line) && line[begin] <= ' ' {
		begin++
	}
	end := begin
	for end < len(line) && line[end] > ' ' {
		end++
	}
	if begin == end {
		return nil, nil
	}
	return line[begin:end], line[end:]
}

// fields is how many fields a line has.
func fields(line []byte) int {
	n := 0
	for {
		var first []byte
		if first, line = field(line); first == nil {
			return n
		}
		n++
	}
}
