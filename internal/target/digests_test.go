package target

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"errno_exporter/internal/cause"
	"errno_exporter/internal/faultlab"
	"errno_exporter/internal/host/counters"
	"errno_exporter/prober/result"
)

// Digests are as they were added: whatever field is different, whether something failed or not, also where the clock is
// set between two of them. The last ones are kept.
func TestDigestsAreAsTheyWereAdded(t *testing.T) {
	random, start := rand.New(rand.NewPCG(1, 2)), time.Now()
	usual := cause.Digest{At: start, Took: time.Second, Status: 200, Protocol: "HTTP/2.0", Sent: 900, Received: 4000,
		Addr: netip.MustParseAddr("192.0.2.1"), Answers: []netip.Addr{netip.MustParseAddr("192.0.2.1")}, Segments: 9}
	var d digests
	var want []cause.Digest
	for n := range 40 * reflect.TypeFor[cause.Digest]().NumField() {
		seen := usual
		seen.At = start.Add(time.Duration(n) * 15 * time.Second)
		if n > 800 {
			seen.At = faultlab.ClockSet(seen.At, time.Hour)
		}
		seen.Took, seen.Received = time.Duration(random.IntN(1e9)), random.Int64N(9000)
		seen.Answers = append([]netip.Addr(nil), seen.Answers...)
		if field := reflect.ValueOf(&seen).Elem().Field(n / 40); n%3 == 0 {
			different(t, field)
		}
		d.add(&seen)
		want = append(want, seen)
		want = want[max(0, len(want)-maxDigests):]
		got := d.all()
		for i := range got {
			if !got[i].At.Round(0).Equal(want[i].At.Round(0)) || !got[i].At.Equal(want[i].At) {
				t.Fatalf("digest %d of %d is of %s, want %s", i, n+1, got[i].At, want[i].At)
			}
			got[i].At = want[i].At // the same, in another representation
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%d digests: %+v, want %+v", n+1, got, want)
		}
	}
}

// different gives a field a value that digests of the test have nowhere else.
func different(t *testing.T, field reflect.Value) {
	t.Helper()
	switch field.Interface().(type) {
	case time.Time: // of its own in each
		return
	case *result.Failure:
		field.Set(reflect.ValueOf(&result.Failure{Err: errors.New("different")}))
		return
	case *counters.Around:
		field.Set(reflect.ValueOf(new(counters.Around)))
		return
	case netip.Addr:
		field.Set(reflect.ValueOf(netip.MustParseAddr("192.0.2.2")))
		return
	}
	switch field.Kind() {
	case reflect.Bool:
		field.SetBool(!field.Bool())
	case reflect.String:
		field.SetString("different")
	case reflect.Int, reflect.Int64:
		field.SetInt(field.Int() + 77)
	case reflect.Uint8, reflect.Uint32, reflect.Uint64:
		field.SetUint(field.Uint() + 77)
	case reflect.Slice:
		field.Set(reflect.MakeSlice(field.Type(), 2, 2))
	case reflect.Pointer:
		field.Set(reflect.New(field.Type().Elem()))
	case reflect.Struct:
		different(t, field.Field(0))
	default:
		t.Fatalf("there is no other %s", field.Type())
	}
}

// The digests of a target that works take at most 2 KiB, also if its name has four addresses in turn.
func TestDigestsAreSmall(t *testing.T) {
	random, start := rand.New(rand.NewPCG(1, 2)), time.Now()
	for _, row := range []struct{ addresses, most int }{{1, 2 << 10}, {4, 4 << 10}} {
		var d digests
		for n := range 4 * maxDigests {
			addr := netip.AddrFrom4([4]byte{192, 0, 2, byte(n % row.addresses)})
			d.add(&cause.Digest{At: start.Add(time.Duration(n) * 15 * time.Second), Took: time.Duration(random.IntN(1e9)),
				Received: random.Int64N(9000), Addr: addr, Answers: []netip.Addr{addr}})
		}
		if d.size() > row.most {
			t.Errorf("with %d addresses they take %d bytes, want at most %d", row.addresses, d.size(), row.most)
		}
	}
}

// BenchmarkDigest is what noting a digest costs that is like the ones before.
func BenchmarkDigest(b *testing.B) {
	var d digests
	addr := netip.MustParseAddr("192.0.2.1")
	seen := cause.Digest{At: time.Now(), Protocol: "HTTP/2.0", Addr: addr, Answers: []netip.Addr{addr}}
	for b.Loop() {
		seen.At, seen.Took = seen.At.Add(15*time.Second), seen.Took+1000
		d.add(&seen)
	}
}
