package observe

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// What is left of an answer that was given up is none of the next one, and does not prevent it.
func TestAnswersLeftOver(t *testing.T) {
	t.Parallel()
	const connections = 200 // which are several datagrams
	own, peer := connectTo(t, connections)
	program := []condition{{netip.PrefixFrom(peer.Addr(), 32), peer.Port()}}
	for _, row := range []struct {
		name string
		give func(t *testing.T, n *netlink)
	}{
		{"nothing was asked", func(*testing.T, *netlink) {}},
		{"a dump of which nothing was read", func(t *testing.T, n *netlink) {
			if err := n.write(dumpRequest(familyIPv4, program)); err != nil {
				t.Error(err)
			}
		}},
		{"a dump of which one datagram was read", func(t *testing.T, n *netlink) {
			if err := n.write(anyRequest(program)); err != nil {
				t.Error(err)
			}
			if _, err := n.read(); err != nil {
				t.Error(err)
			}
		}},
		{"a dump whose reader panicked", func(t *testing.T, n *netlink) {
			defer func() { _ = recover() }()
			_ = n.ask(anyRequest(program), func([]byte) { panic("a bug") })
			t.Error("the panic was kept")
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			n, err := openNetlink()
			if err != nil {
				t.Fatal(err)
			}
			defer n.close()
			row.give(t, n)
			if got := n.askOne(socketRequest(own, peer)); got != established {
				t.Errorf("the one socket is in %q, want %q", got, established)
			}
			row.give(t, n)
			found := 0
			if err := n.ask(anyRequest(program), func([]byte) { found++ }); err != nil || found != connections {
				t.Errorf("a dump has %d sockets, error %v; want %d", found, err, connections)
			}
		})
	}
}

// connectTo makes connections over the loopback interface, and returns the addresses of the first one.
func connectTo(t *testing.T, connections int) (own, peer netip.AddrPort) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	for range connections {
		client, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		server, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _, _ = client.Close(), server.Close() })
		own = addressOf(client.LocalAddr())
	}
	return own, addressOf(listener.Addr())
}

// Of an answer only the messages count that have the number of the request.
func TestAnswers(t *testing.T) {
	written := func(kind, flags uint16, sequence uint32, body ...byte) []byte {
		b := binary.NativeEndian.AppendUint32(nil, uint32(headerLength+len(body)))
		b = binary.NativeEndian.AppendUint16(b, kind)
		b = binary.NativeEndian.AppendUint16(b, flags)
		b = binary.NativeEndian.AppendUint32(b, sequence)
		b = binary.NativeEndian.AppendUint32(b, 0)
		return append(b, body...)
	}
	const multi, refused = 2, uint32(0xffffffff) // NLM_F_MULTI, and -EPERM
	refusal := binary.NativeEndian.AppendUint32(nil, refused)
	for _, row := range []struct {
		name   string
		answer [][]byte
		bodies string
		err    error
	}{
		{"two sockets", [][]byte{written(typeSocket, multi, 1, 'a', 0, 0, 0), written(typeAnySocket, multi, 1, 'b', 0, 0, 0),
			written(typeDone, multi, 1)}, "ab", nil},
		{"in one datagram", [][]byte{slices.Concat(written(typeSocket, multi, 1, 'a', 0, 0, 0),
			written(typeDone, multi, 1))}, "a", nil},
		{"behind those of another request", [][]byte{written(typeSocket, multi, 0, 'x', 0, 0, 0),
			written(typeDone, multi, 0), written(typeError, 0, 7, refusal...), written(typeSocket, multi, 1, 'a', 0, 0, 0),
			written(typeDone, multi, 1)}, "a", nil},
		{"behind the end", [][]byte{slices.Concat(written(typeDone, multi, 1),
			written(typeSocket, multi, 1, 'x', 0, 0, 0))}, "", nil},
		{"refused", [][]byte{written(typeError, 0, 1, refusal...)}, "", syscall.EPERM},
		{"interrupted", [][]byte{written(typeSocket, multi|flagInterrupted, 1, 'a', 0, 0, 0), written(typeDone, multi, 1)},
			"a", errInterrupted},
		{"interrupted at the end", [][]byte{written(typeDone, multi|flagInterrupted, 1)}, "", errInterrupted},
	} {
		ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		n := &netlink{fd: ends[0], buffer: make([]byte, readBuffer)}
		for _, datagram := range row.answer {
			if _, err := unix.Write(ends[1], datagram); err != nil {
				t.Fatal(err)
			}
		}
		bodies := ""
		err = n.ask(make([]byte, headerLength), func(body []byte) { bodies += string(body[:1]) })
		if bodies != row.bodies || !errors.Is(err, row.err) || n.behind {
			t.Errorf("%s: %s, error %v, behind: %t; want %s, %v", row.name, bodies, err, n.behind, row.bodies, row.err)
		}
		n.close()
		_ = unix.Close(ends[1])
	}
}

// A kernel that lists one address family at a time is asked for both.
func TestDumpRequests(t *testing.T) {
	conditions := []condition{{netip.MustParsePrefix("192.0.2.1/32"), 443}}
	for _, row := range []struct {
		name       string
		twice      bool
		conditions []condition
		want       [][2]uint8 // the type and the address family of each
	}{
		{"at once", false, conditions, [][2]uint8{{typeAnySocket, 0}}},
		{"one by one", true, conditions, [][2]uint8{{typeSocket, familyIPv4}, {typeSocket, familyIPv6}}},
		{"nobody", true, nil, nil},
	} {
		var got [][2]uint8
		for _, request := range (&Observer{twice: row.twice}).dumpRequests(row.conditions) {
			got = append(got, [2]uint8{uint8(binary.NativeEndian.Uint16(request[4:])), request[headerLength]})
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%s: %v, want %v", row.name, got, row.want)
		}
	}
}
