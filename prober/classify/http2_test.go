package classify

import (
	"errors"
	"testing"

	"golang.org/x/net/http2"

	"errno_exporter/prober/result"
)

func TestClassifyHTTP2(t *testing.T) {
	stream := func(code http2.ErrCode, cause string) error {
		return http2.StreamError{StreamID: 1, Code: code, Cause: errors.New(cause)}
	}
	goAway := func(code string) error {
		return errors.New("http2: server sent GOAWAY and closed the connection; LastStreamID=1, ErrCode=" + code)
	}
	const fromPeer = "received from peer"
	other := errors.New("http2: ?")
	for _, row := range []struct {
		name string
		e    Evidence
		want verdict
	}{
		{"a stream reset", Evidence{Err: stream(http2.ErrCodeInternal, fromPeer)}, peer(result.H2StreamReset)},
		{"a stream refused", Evidence{Err: stream(http2.ErrCodeRefusedStream, fromPeer)}, peer(result.H2StreamRefused)},
		{"ENHANCE_YOUR_CALM on a stream", Evidence{Err: stream(http2.ErrCodeEnhanceYourCalm, fromPeer)},
			peer(result.H2Throttled)},
		{"our own end of a stream", Evidence{Err: stream(http2.ErrCodeRefusedStream, "?")},
			peer(result.H2ProtocolError)},
		{"our own end, without a cause", Evidence{Err: http2.StreamError{StreamID: 1,
			Code: http2.ErrCodeRefusedStream}}, peer(result.H2ProtocolError)},
		{"our bound of a head", Evidence{Err: stream(http2.ErrCodeProtocol, "header list too large")},
			self(result.HTTPHeadersTooLarge)},
		{"a peer that speaks of a header list", Evidence{Err: stream(http2.ErrCodeProtocol, fromPeer+": header list")},
			peer(result.H2StreamReset)},
		{"ENHANCE_YOUR_CALM", Evidence{Err: errors.New("http2: server sent GOAWAY and closed the connection; " +
			"ErrCode=ENHANCE_YOUR_CALM")}, peer(result.H2Throttled)},
		{"GOAWAY", Evidence{Err: errors.New("http2: server sent GOAWAY and closed the connection; ErrCode=NO_ERROR")},
			peer(result.H2GoAway)},
		{"a stream that ENHANCE_YOUR_CALM left out", Evidence{Err: errors.New("http2: Transport received GOAWAY from " +
			"server ErrCode:ENHANCE_YOUR_CALM")}, peer(result.H2Throttled)},
		{"our own end of the connection", Evidence{Err: errors.New("connection error: PROTOCOL_ERROR")},
			peer(result.H2ProtocolError)},
		{"a frame beyond our bound", Evidence{Err: errors.New("http2: frame too large")}, peer(result.H2ProtocolError)},
		{"HTTP/1.1 for HTTP/2", Evidence{Err: errors.New("http2: failed reading the frame payload: looked like an " +
			"HTTP/1.1 header")}, peer(result.H2ProtocolError)},
		{"no answer to a PING", Evidence{Err: errors.New("http2: client connection lost")}, peer(result.H2PingFailed)},
		{"a compressed head beyond our bound", Evidence{Err: other, Frames: &Frames{HeadTooLarge: true}},
			self(result.HTTPHeadersTooLarge)},
		{"the same after the response", Evidence{Err: other, Frames: &Frames{HeadTooLarge: true}, Responded: true,
			Phase: result.Transfer}, peer(result.HTTPResponseInvalid)},
		{"a head within it", Evidence{Err: other, Phase: result.Processing}, peer(result.HTTPFailed)},
		{"frames said GOAWAY", Evidence{Err: other, Frames: &Frames{GoAway: true}}, peer(result.H2GoAway)},
		{"frames said ENHANCE_YOUR_CALM", Evidence{Err: other,
			Frames: &Frames{GoAway: true, GoAwayCode: http2.ErrCodeEnhanceYourCalm}}, peer(result.H2Throttled)},
		{"a code without GOAWAY", Evidence{Err: other, Frames: &Frames{GoAwayCode: http2.ErrCodeEnhanceYourCalm}},
			peer(result.HTTPFailed)},
		{"frames were HTTP/1", Evidence{Err: other, Frames: &Frames{HTTP1: true, GoAway: true}},
			peer(result.H2ProtocolError)},
		{"a stream that ended short", Evidence{Err: other, Frames: &Frames{Ended: true, GoAway: true}, Responded: true},
			peer(result.HTTPResponseInvalid)},
		{"a stream that ended before the head", Evidence{Err: other, Frames: &Frames{Ended: true, GoAway: true}},
			peer(result.H2GoAway)},
		{"a response, then GOAWAY", Evidence{Err: other, Frames: &Frames{GoAway: true}, Responded: true},
			peer(result.H2GoAway)},
		{"GOAWAY in the error, then our deadline", Evidence{Err: goAway("NO_ERROR"), Frames: &Frames{GoAway: true},
			Ended: Deadline, Phase: result.Processing}, self(result.HTTPResponseTimedOut)},
		{"GOAWAY in the error, then a FIN before our deadline", Evidence{Err: goAway("NO_ERROR"),
			Frames: &Frames{GoAway: true}, Ended: Deadline, EndedAt: 2, Phase: result.Processing,
			Wire: &result.Wire{Cause: &result.Event{Op: result.OpRead, End: 1, EOF: true}}}, peer(result.H2GoAway)},
		{"GOAWAY with an error in the error, then our deadline", Evidence{Err: goAway("INTERNAL_ERROR"),
			Frames: &Frames{GoAway: true}, Ended: Deadline, Phase: result.Processing}, peer(result.H2GoAway)},
		{"GOAWAY, then our deadline", Evidence{Err: other, Frames: &Frames{GoAway: true}, Ended: Deadline,
			Phase: result.Processing}, self(result.HTTPResponseTimedOut)},
	} {
		row.e.Step = StepStream
		if row.e.Frames == nil {
			row.e.Frames = &Frames{}
		}
		compareFailure(t, row.name, &row.e, row.want)
	}
	// The same texts over HTTP/1.1 mean nothing.
	compareFailure(t, "no frames", &Evidence{Step: StepStream, Err: errors.New("GOAWAY")}, peer(result.HTTPFailed))
}
