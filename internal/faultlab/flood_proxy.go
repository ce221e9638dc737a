package faultlab

import "net"

// DribblingConnect is a proxy that answers CONNECT with a head that does not end, one byte a write.
func DribblingConnect(h Host) string {
	h.Helper()
	return answerAsk(h, "HTTP/1.1 200 OK\r\nX-Filler: ", func(conn *net.TCPConn) { dribble(conn, "", "x") })
}

// DribblingSOCKS is a proxy that answers the request to connect with a name of 255 bytes and more without end, one byte
// a write.
func DribblingSOCKS(h Host) string {
	h.Helper()
	reply := string([]byte{socksVersion, socksOK, 0, socksName, 255})
	return socksAfterRequest(h, func(conn *net.TCPConn) { dribble(conn, reply, "x") })
}

// dribble sends a text, and then a piece without end, one byte a write: net turns Nagle's algorithm off.
func dribble(conn net.Conn, text, again string) {
	for {
		for _, b := range []byte(text) {
			if _, err := conn.Write([]byte{b}); err != nil {
				return
			}
		}
		text = again
	}
}
