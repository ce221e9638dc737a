package prober_test

import (
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/result"
)

// helloRow is what a ClientHello is refused for, by whom, and the experiments that find it.
type helloRow struct {
	refused faultlab.HelloProperty
	device  bool
	want    string // those that succeeded with a +, without the original's repetitions
}

func (r helloRow) String() string {
	if r.device {
		return string(r.refused) + ", by a device"
	}
	return string(r.refused)
}

var helloRows = []helloRow{
	{faultlab.HelloLength, false, "without_ml_kem+ padded small_split+ without_ml_kem+"},
	{faultlab.HelloSegments, false, "without_ml_kem+ padded small_split without_ml_kem+"},
	{faultlab.HelloMLKEM, false, "without_ml_kem+ padded+ other_ciphers without_ml_kem+"},
	{faultlab.HelloName, false, "without_ml_kem other_name+ split other_name+"},
	{faultlab.HelloName, true, "without_ml_kem other_name+ split+ other_name+"},
	{faultlab.HelloAnyName, false, "without_ml_kem other_name plain no_name+ no_name+"},
	{faultlab.HelloALPN, false, "without_ml_kem other_name plain+ tls12 no_alpn+ no_alpn+"},
	{faultlab.HelloTLS13, false, "without_ml_kem other_name plain+ tls12+ other_ciphers tls12+"},
	{faultlab.HelloFingerprint, false, "without_ml_kem+ padded+ other_ciphers+ without_ml_kem+"},
	{faultlab.HelloSuites, false, "without_ml_kem other_name plain+ tls12+ other_ciphers+ tls12+"},
}

// helloRun is a row that is under way.
type helloRun struct {
	want, got string
	after     *result.Failure
}

// What is refused in a ClientHello is found by at most five others, however it is refused, and the original fails again
// after those that work. All rows are under way at once: where the refusal is silence, they wait.
func TestDiagnoseHello(t *testing.T) {
	t.Parallel()
	var running sync.WaitGroup
	rows := map[string]*helloRun{}
	for _, family := range []struct{ name, address string }{{"IPv4", "127.0.0.1"}, {"IPv6", "::1"}} {
		addr := netip.MustParseAddr(family.address)
		p := prober.New(prober.Options{
			Resolver: faultlab.DNS(t, map[string][]netip.Addr{faultlab.RefusedName: {addr}})})
		for _, failure := range []faultlab.HelloFailure{faultlab.HelloReset, faultlab.HelloClosed,
			faultlab.HelloSilence, faultlab.HelloAlert} {
			for _, row := range helloRows {
				port := faultlab.RefusesHello(t, faultlab.Hello{Refused: row.refused, Failure: failure,
					Device: row.device, Address: netip.AddrPortFrom(addr, 0).String()})
				url := "https://" + faultlab.RefusedName + ":" + port + "/"
				m := labModule()
				if failure == faultlab.HelloSilence {
					m.Timeout = 1500 * time.Millisecond
				}
				one := &helloRun{want: row.want}
				rows[family.name+" "+row.String()+" "+string(failure)] = one
				running.Go(func() {
					r := probe(t, p, url, m)
					target, _ := prober.ParseTarget(url) // as in probe
					one.after, one.got = r.Failure, hellos(p.Diagnose(t.Context(), target, &r, m))
				})
			}
		}
	}
	running.Wait()
	for name, row := range rows {
		if diff := cmp.Diff(row.want, row.got); diff != "" {
			t.Errorf("%s: after %+v (-want +got):\n%s", name, row.after, diff)
		}
	}
}

// hellos are the experiments with ClientHellos among some.
func hellos(made []result.Experiment) string {
	var words []string
	for _, c := range made {
		kind, ok := strings.CutPrefix(string(c.Kind), prober.HelloPrefix)
		if !ok {
			continue
		}
		if c.Failure == nil {
			kind += "+"
		}
		words = append(words, kind)
	}
	return strings.Join(words, " ")
}
