package prober

import (
	"errors"
	"strings"

	"golang.org/x/net/http2"
)

// spokenHTTP2 finds what HTTP/2 said: in the error, or in frames that net/http forgot about.
func spokenHTTP2(e *Evidence) (Reason, Origin, bool) {
	seen := e.Frames
	if seen == nil {
		return "", "", false
	}
	if !e.Responded && seen.headBytes >= maxResponseHead/2 { // HPACK may halve it, and net/http's error does not say
		return HTTPHeadersTooLarge, Self, true
	}
	if reason, origin, ok := classifyHTTP2(e.Err); ok {
		return reason, origin, true
	}
	if e.Ended != Running {
		return "", "", false
	}
	reason, ok := reasonOfFrames(seen, e.Responded)
	return reason, Peer, ok
}

// http2Texts are errors that net/http's HTTP/2 makes without a type that can be matched (h2_bundle.go). A test provokes each.
var http2Texts = []struct {
	text   string
	reason Reason
}{
	{"ErrCode:ENHANCE_YOUR_CALM", H2Throttled},
	{"ErrCode=ENHANCE_YOUR_CALM", H2Throttled},
	{"GOAWAY", H2GoAway},
	{"looked like an HTTP/1.1 header", H2ProtocolError},
	{"client connection lost", H2PingFailed},
	{"connection error: ", H2ProtocolError},
	{"http2: frame too large", H2ProtocolError},
}

// classifyHTTP2 names what an HTTP/2 connection or stream said about its end.
func classifyHTTP2(err error) (Reason, Origin, bool) {
	if stream, ok := errors.AsType[http2.StreamError](err); ok {
		reason, origin := reasonOfStream(stream)
		return reason, origin, true
	}
	text := err.Error()
	for _, row := range http2Texts {
		if strings.Contains(text, row.text) {
			return row.reason, Peer, true
		}
	}
	return "", "", false
}

// reasonOfStream names a stream's end by its code (RFC 9113 section 7). Without the peer's mark it was our side that could not read
// the peer's frames.
func reasonOfStream(e http2.StreamError) (Reason, Origin) {
	fromPeer := e.Cause != nil && strings.Contains(e.Cause.Error(), "received from peer")
	switch {
	case !fromPeer && strings.Contains(e.Error(), "header list"):
		return HTTPHeadersTooLarge, Self
	case !fromPeer:
		return H2ProtocolError, Peer
	case e.Code == http2.ErrCodeRefusedStream:
		return H2StreamRefused, Peer
	case e.Code == http2.ErrCodeEnhanceYourCalm:
		return H2Throttled, Peer
	default:
		return H2StreamReset, Peer
	}
}

// reasonOfFrames names an end that the peer's frames had announced. A body that fails although its stream had been ended was short.
func reasonOfFrames(seen *framesSeen, inBody bool) (Reason, bool) {
	switch {
	case seen.ended && inBody:
		return HTTPResponseInvalid, true
	case seen.http1:
		return H2ProtocolError, true
	case seen.goAway && seen.goAwayCode == http2.ErrCodeEnhanceYourCalm:
		return H2Throttled, true
	case seen.goAway:
		return H2GoAway, true
	}
	return "", false
}
