package socket

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"errno_exporter/prober/result"
)

// readTCPInfo reads TCP_INFO (tcp(7)); nil if that fails.
func readTCPInfo(raw syscall.RawConn) *result.TCPInfo {
	var info *result.TCPInfo
	if err := raw.Control(func(fd uintptr) { info = tcpInfo(int(fd)) }); err != nil {
		return nil // it was closed meanwhile
	}
	return info
}

// tcpStates are the names of linux/net/tcp_states.h, from 1.
var tcpStates = [...]string{"", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE",
	"CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING", "NEW_SYN_RECV"}

// noMinRTT is what the kernel reports before it has measured a round trip.
const noMinRTT = 1<<32 - 1

// tcpInfo is readTCPInfo of a file descriptor.
func tcpInfo(fd int) *result.TCPInfo {
	in, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return nil
	}
	out := &result.TCPInfo{
		RTT: time.Duration(in.Rtt) * time.Microsecond, RTTVar: time.Duration(in.Rttvar) * time.Microsecond,
		Retransmits: in.Retransmits, Backoff: in.Backoff, Probes: in.Probes,
		Unacked: in.Unacked, Sacked: in.Sacked, Lost: in.Lost, TotalRetrans: in.Total_retrans,
		BytesAcked: in.Bytes_acked, BytesReceived: in.Bytes_received, BytesSent: in.Bytes_sent,
		BytesRetrans: in.Bytes_retrans,
		NotSent:      in.Notsent_bytes, SegsOut: in.Segs_out, SegsIn: in.Segs_in, OutOfOrder: in.Rcv_ooopack,
		SndMSS: in.Snd_mss, PMTU: in.Pmtu, SndWnd: in.Snd_wnd, RcvWnd: in.Rcv_wnd,
		RwndLimited:  time.Duration(in.Rwnd_limited) * time.Microsecond,
		BusyTime:     time.Duration(in.Busy_time) * time.Microsecond,
		LastDataRecv: time.Duration(in.Last_data_recv) * time.Millisecond,
		LastAckRecv:  time.Duration(in.Last_ack_recv) * time.Millisecond,
		TotalRTO:     in.Total_rto,
	}
	if int(in.State) < len(tcpStates) {
		out.State = tcpStates[in.State]
	}
	if in.Min_rtt != noMinRTT {
		out.MinRTT = time.Duration(in.Min_rtt) * time.Microsecond
	}
	out.OutOfOrderQueued = out.OutOfOrder > 0 && outOfOrderQueued(fd)
	return out
}

// outOfOrderQueued reports whether segments wait behind a hole: the socket holds received memory (SO_MEMINFO,
// linux/sock_diag.h) and yet nothing can be read (SIOCINQ).
func outOfOrderQueued(fd int) bool {
	// the first of its numbers is SK_MEMINFO_RMEM_ALLOC
	received, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_MEMINFO)
	if err != nil || received <= 0 {
		return false
	}
	readable, err := unix.IoctlGetInt(fd, unix.TIOCINQ)
	return err == nil && readable == 0
}

// readArrived reads what has arrived and does not wait for more.
func readArrived(raw syscall.RawConn, most int) []byte {
	var arrived []byte
	chunk := make([]byte, 4096)
	_ = raw.Read(func(fd uintptr) bool { // fails only on a closed connection, which has nothing
		for len(arrived) < most {
			n, err := unix.Read(int(fd), chunk)
			if n <= 0 || err != nil {
				break
			}
			arrived = append(arrived, chunk[:n]...)
		}
		return true
	})
	return arrived
}
