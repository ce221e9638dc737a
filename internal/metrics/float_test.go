package metrics

import (
	"math"
	"strconv"
	"strings"
	"testing"
)

// TestAppendFloat: values look as strconv writes them; in OpenMetrics those without a point or an exponent get a point.
func TestAppendFloat(t *testing.T) {
	for _, v := range []float64{
		0, math.Copysign(0, -1), 1, -1, 0.5, 1.5, 10, 999_999, 999_999.5, 1_000_000, 1_000_001, 123_456_789, 1e-5,
		0.0001, 1e21, math.MaxFloat64, math.SmallestNonzeroFloat64, 1 << 53,
	} {
		want := strconv.FormatFloat(v, 'g', -1, 64)
		if got := string(appendFloat(nil, v, plainText)); got != want {
			t.Errorf("%v is written %q, want %q", v, got, want)
		}
		if !strings.ContainsAny(want, ".e") {
			want += ".0"
		}
		if got := string(appendFloat(nil, v, openMetrics)); got != want {
			t.Errorf("%v is written %q in OpenMetrics, want %q", v, got, want)
		}
	}
}
