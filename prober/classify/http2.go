package classify

import (
	"errors"
	"strings"
	"time"

	"golang.org/x/net/http2"

	"errno_exporter/prober/result"
)

// Frames is what the peer's frames said about the end.
type Frames struct {
	GoAway       bool
	GoAwayCode   http2.ErrCode
	GoAwayAt     time.Duration // arrival of the GOAWAY; 0 before
	HTTP1        bool          // the first bytes were an HTTP/1 status line
	HeadAt       time.Duration // arrival of the first HEADERS frame; 0 before
	HeadBytes    int           // of HEADERS and CONTINUATION frames, compressed
	HeadTooLarge bool          // by its compressed bytes
	TooMany      bool          // the heads and the trailer have more than maxHeadFields fields
	Ended        bool          // a frame ended our stream: the response was complete in its sender's eyes
}

// spokenHTTP2 finds what HTTP/2 said: in the error, or in frames that net/http forgot about.
func spokenHTTP2(e *Evidence) (result.Reason, result.Origin, bool) {
	seen := e.Frames
	if seen == nil {
		return "", "", false
	}
	if !e.Responded && seen.HeadTooLarge { // HPACK may halve it, and net/http's error does not say
		return result.HTTPHeadersTooLarge, result.Self, true
	}
	if reason, origin, ok := classifyHTTP2(e.Err); ok {
		return reason, origin, !drained(e)
	}
	if e.Ended != Running {
		return "", "", false
	}
	reason, ok := reasonOfFrames(seen, e.Responded)
	return reason, result.Peer, ok
}

// drained reports whether the peer said in order that it goes away, and our deadline passed while it still had our
// stream to answer (RFC 9113 section 6.8): net/http makes the GOAWAY the error of the connection that we then close. Of
// a stream that the GOAWAY leaves out, and of a connection that the peer ends, it knows at once.
func drained(e *Evidence) bool {
	return e.Ended == Deadline && e.cause() == nil && strings.Contains(e.Err.Error(), "GOAWAY") &&
		strings.Contains(e.Err.Error(), "ErrCode=NO_ERROR")
}

// http2Texts are errors that net/http's HTTP/2 makes without a type that can be matched (h2_bundle.go). A test provokes
// each.
var http2Texts = []struct {
	text   string
	reason result.Reason
}{
	{"ErrCode:ENHANCE_YOUR_CALM", result.H2Throttled},
	{"ErrCode=ENHANCE_YOUR_CALM", result.H2Throttled},
	{"GOAWAY", result.H2GoAway},
	{"looked like an HTTP/1.1 header", result.H2ProtocolError},
	{"client connection lost", result.H2PingFailed},
	{"connection error: ", result.H2ProtocolError},
	{"http2: frame too large", result.H2ProtocolError},
}

// classifyHTTP2 names what an HTTP/2 connection or stream said about its end.
func classifyHTTP2(err error) (result.Reason, result.Origin, bool) {
	if stream, ok := errors.AsType[http2.StreamError](err); ok {
		reason, origin := reasonOfStream(stream)
		return reason, origin, true
	}
	text := err.Error()
	for _, row := range http2Texts {
		if strings.Contains(text, row.text) {
			return row.reason, result.Peer, true
		}
	}
	return "", "", false
}

// reasonOfStream names a stream's end by its code (RFC 9113 section 7). Without the peer's mark it was our side that
// could not read the peer's frames.
func reasonOfStream(e http2.StreamError) (result.Reason, result.Origin) {
	fromPeer := e.Cause != nil && strings.Contains(e.Cause.Error(), "received from peer")
	switch {
	case !fromPeer && strings.Contains(e.Error(), "header list"):
		return result.HTTPHeadersTooLarge, result.Self
	case !fromPeer:
		return result.H2ProtocolError, result.Peer
	case e.Code == http2.ErrCodeRefusedStream:
		return result.H2StreamRefused, result.Peer
	case e.Code == http2.ErrCodeEnhanceYourCalm:
		return result.H2Throttled, result.Peer
	default:
		return result.H2StreamReset, result.Peer
	}
}

// reasonOfFrames names an end that the peer's frames had announced. A body that fails although its stream had been
// ended was short.
func reasonOfFrames(seen *Frames, inBody bool) (result.Reason, bool) {
	switch {
	case seen.Ended && inBody:
		return result.HTTPResponseInvalid, true
	case seen.HTTP1:
		return result.H2ProtocolError, true
	case seen.GoAway && seen.GoAwayCode == http2.ErrCodeEnhanceYourCalm:
		return result.H2Throttled, true
	case seen.GoAway:
		return result.H2GoAway, true
	}
	return "", false
}
