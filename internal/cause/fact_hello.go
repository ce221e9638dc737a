package cause

import (
	"slices"
	"strings"

	"errno_exporter/prober"
	"errno_exporter/prober/result"
)

// What the experiments with other ClientHellos show: which property of ours is refused.

// helloFinding is a property, and the experiments that single it out.
type helloFinding struct {
	works, fails []result.ExperimentKind
	says         string
}

type kinds = []result.ExperimentKind

// helloFindings are the properties, those that need the most experiments first.
var helloFindings = []helloFinding{
	{kinds{result.HelloWithoutMLKEM}, kinds{result.HelloPadded, result.HelloSmallSplit},
		"a ClientHello in several segments is refused: a short one (without ML-KEM) works in one segment and fails in " +
			"two"},
	{kinds{result.HelloWithoutMLKEM, result.HelloSmallSplit}, kinds{result.HelloPadded},
		"the ClientHello's length is refused: a short one (without ML-KEM) works, also in two segments, and a long one " +
			"without ML-KEM fails"},
	{kinds{result.HelloWithoutMLKEM}, kinds{result.HelloPadded},
		"the ClientHello's length is refused: a short one (without ML-KEM) works, and a long one without ML-KEM fails"},
	{kinds{result.HelloOtherCiphers}, nil,
		"the ClientHello's fingerprint is refused (its lists of cipher suites and extensions): with other cipher " +
			"suites it works"},
	{kinds{result.HelloWithoutMLKEM, result.HelloPadded}, nil,
		"the post-quantum key share (ML-KEM) is refused: a ClientHello of the same length without it works"},
	{kinds{result.HelloWithoutMLKEM}, nil,
		"the ClientHello's length or its post-quantum key share (ML-KEM) is refused: without the key share it works"},
	{kinds{result.HelloTLS12}, nil, "the version TLS 1.3 is refused: with TLS 1.2 at most it works"},
	{kinds{result.HelloNoALPN}, nil, "ALPN is refused: without it it works"},
	{kinds{result.HelloPlain}, nil, "TLS 1.3 or ALPN is refused: without both it works"},
	{kinds{result.HelloOtherName, result.HelloSplit}, nil,
		"the server name (SNI) is refused, by what looks at single segments: with another name it works, and with ours " +
			"in two segments"},
	{kinds{result.HelloOtherName}, nil, "the server name (SNI) is refused: with another name it works"},
	{kinds{result.HelloNoName}, nil, "a server name (SNI) is refused, whatever it is: without one it works"},
	{kinds{result.HelloSplit}, nil,
		"the ClientHello's content is refused, by what looks at single segments: in two segments it works"},
}

// isHello reports whether an experiment is one with another ClientHello.
func isHello(k result.ExperimentKind) bool { return strings.HasPrefix(string(k), prober.HelloPrefix) }

// hello notes what the experiments with other ClientHellos show.
func (s *scene) hello(k *known) {
	tried := slices.ContainsFunc(s.made, func(c result.Experiment) bool { return isHello(c.Kind) })
	cure, rounds := s.helloCure()
	if s.is(result.TLSALPNMismatch) {
		return // the alert says itself what does not fit
	}
	if rounds == 0 {
		k.note(triedHello, tried, "another ClientHello does not help")
		return
	}
	if k.has(provedSmall) && s.bySize(cure) {
		return // the whole ClientHello works as well, in smaller packets: nothing in it is refused
	}
	k.note(provedHello, true, "%s; with the original it fails again", s.helloSays(cure))
	k.note(provedTwice, rounds > 1, "the same result %d times in a row", rounds)
}

// bySize reports whether all that is known of a ClientHello that works is that it, or the answer to it, is shorter.
func (s *scene) bySize(cure result.ExperimentKind) bool {
	padded := s.first(result.HelloPadded)
	return slices.Contains(kinds{result.HelloWithoutMLKEM, result.HelloTLS12, result.HelloPlain}, cure) &&
		(padded == nil || padded.Failure != nil)
}

// helloCure is the ClientHello that works, and how often the original failed again after it; 0 where it failed as often
// as it worked, or the original worked once.
func (s *scene) helloCure() (cure result.ExperimentKind, rounds int) {
	fails, pending := 0, false
	for i := range s.made {
		switch c := &s.made[i]; {
		case c.Kind == result.Again && c.Failure == nil:
			return "", 0
		case c.Kind == result.Again && pending:
			rounds, pending = rounds+1, false
		case isHello(c.Kind) && c.Failure == nil:
			if cure == "" || cure == result.HelloPlain && c.Kind != result.HelloOtherCiphers {
				cure = c.Kind // the one of its two changes that matters
			}
			pending = pending || c.Kind == cure
		case cure != "" && c.Kind == cure:
			fails++
		}
	}
	if rounds < fails {
		return "", 0
	}
	return cure, rounds
}

// helloSays is what the experiments single out; of a kind that is not in the list only that it works.
func (s *scene) helloSays(cure result.ExperimentKind) string {
	did := func(kind result.ExperimentKind, worked bool) bool {
		c := s.first(kind)
		return c != nil && (c.Failure == nil) == worked
	}
	for _, f := range helloFindings {
		if !slices.ContainsFunc(f.works, func(k result.ExperimentKind) bool { return !did(k, true) }) &&
			!slices.ContainsFunc(f.fails, func(k result.ExperimentKind) bool { return !did(k, false) }) {
			return f.says
		}
	}
	return "with another ClientHello it works (" + strings.TrimPrefix(string(cure), prober.HelloPrefix) + ")"
}
