package compile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"errno_exporter/internal/claims"
)

// evaluated evaluates an expression on a JSON text.
func evaluated(ctx context.Context, t testing.TB, expression, body string) (bool, error) {
	t.Helper()
	e, err := Expression(expression)
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	var document any
	if err := json.Unmarshal([]byte(body), &document); err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return e.Eval(ctx, document)
}

// listOf is a JSON list of n times the element.
func listOf(n int, element string) string {
	return "[" + strings.Repeat(element+",", n-1) + element + "]"
}

// The deadline ends an evaluation at its next step, and within a text that is long. The server chooses how long a step
// takes: a search of 350,000 elements took ten seconds beyond the deadline, a text of 7 MB eleven.
func TestCELEndsAtTheDeadline(t *testing.T) {
	past, cancel := context.WithCancel(t.Context())
	cancel()
	long := `{"s":"` + strings.Repeat("a", longText+1) + `","re":"^([a-z]+-?){1,30}$"}`
	for _, row := range []struct{ expression, body string }{
		{"body.a.all(x, x in body.b)", `{"a":[1,1],"b":[1]}`},
		{"body.a.map(x, x).size() == 2", `{"a":[1,1]}`},
		{`body.s.matches("^([a-z]+-?){1,30}$")`, long},
		{`matches(body.s, "^([a-z]+-?){1,30}$")`, long},
		{"body.s.matches(body.re)", long},
	} {
		if got, err := evaluated(past, t, row.expression, row.body); !errors.Is(err, context.Canceled) {
			t.Errorf("%s after the deadline: %t, %v, want its end", row.expression, got, err)
		}
		if got, err := evaluated(t.Context(), t, row.expression, row.body); !got || err != nil {
			t.Errorf("%s in time: %t, %v, want true", row.expression, got, err)
		}
	}
}

// What an expression makes of a body is bounded by the body's size: two texts put together for each element of a list
// took 6 GB, with a body of 7 MB.
func TestCELMemory(t *testing.T) {
	text := strings.Repeat("s", 300<<10)
	for _, row := range []struct {
		expression, body string
		ends             bool
	}{
		{"body.a.map(x, body.s + x).size() == 9", fmt.Sprintf(`{"a":%s,"s":%q}`, listOf(9, `"x"`), text), true},
		{"body.a.map(x, body.s + x).size() == 2", fmt.Sprintf(`{"a":%s,"s":%q}`, listOf(2, `"x"`), text), false},
		{"body.a.map(x, bytes(body.s)).size() == 9", fmt.Sprintf(`{"a":%s,"s":%q}`, listOf(9, "1"), text), true},
		{"body.a.map(x, string(bytes(body.s))).size() == 5", fmt.Sprintf(`{"a":%s,"s":%q}`, listOf(5, "1"), text), true},
		{"body.map(x, body.map(y, y)).size() == 1000", listOf(1000, "1"), true},
		{"body.map(x, body.map(y, {'x': x, 'y': y})).size() == 200", listOf(200, "1"), true},
		{"body.map(x, body.map(y, [x, y])).size() == 200", listOf(200, "1"), true},
		{"body.all(x, body.all(y, x == y))", listOf(1000, "1"), false},
		{"body.map(x, x).filter(x, x == 1.0).size() == 100000", listOf(100_000, "1"), false},
		{"body.map(x, {'a': x.a, 'b': x.b}).size() == 30000", listOf(30_000, `{"a":1,"b":2}`), false},
		{"body.map(x, x.a + '/' + x.b).size() == 30000", listOf(30_000, `{"a":"abc","b":"def"}`), false},
	} {
		got, err := evaluated(t.Context(), t, row.expression, row.body)
		ends := err != nil && strings.Contains(err.Error(), errMadeTooMuch.Error())
		if ends != row.ends || got == row.ends || err != nil && !ends {
			t.Errorf("%s: %t, %v, want true or that it makes too much: %t", row.expression, got, err, row.ends)
		}
	}
	claims.Prove(t, "what CEL makes of a body", freeMade, madeOfBody)
}

// A comparison with a regular expression has the same value whatever the text's length is.
func TestCELMatches(t *testing.T) {
	for _, row := range []struct {
		expression, tail string
		want             bool
		err              string
	}{
		{`body.s.matches("ä!$")`, "ä!", true, ""},
		{`body.s.matches("^a*ä$")`, "ä", true, ""},
		{`body.s.matches("^ä")`, "ä", false, ""},
		{`body.s.matches("")`, "", true, ""},
		{`body.s.matches("^a*[[:punct:]]{2}$")`, "!?", true, ""},
		{`body.s.matches("(?i)AAAB")`, "b", true, ""},
		{`body.s.matches("^a+\uFFFDb$")`, "\\ud800b", true, ""},
		{`body.s.matches(body.tail)`, "b", true, ""},
		{`body.s.matches(body.tail)`, "(", false, "missing closing )"},
		{`body.s.matches(body.none)`, "b", false, "no such key"},
		{`body.none.matches("a")`, "b", false, "no such key"},
		{`body.number.matches("a")`, "b", false, "no such overload"},
		{`body.s.matches(body.number)`, "b", false, "no such overload"},
	} {
		for _, n := range []int{3, longText + 3} {
			body := fmt.Sprintf(`{"s":"%s","tail":"%s","number":1}`, strings.Repeat("a", n)+row.tail, row.tail)
			got, err := evaluated(t.Context(), t, row.expression, body)
			if got != row.want || (err == nil) != (row.err == "") || err != nil && !strings.Contains(err.Error(), row.err) {
				t.Errorf("%s, %d bytes: %t, %v, want %t, %q", row.expression, n, got, err, row.want, row.err)
			}
		}
	}
	if _, err := Expression(`body.s.matches("(")`); err == nil {
		t.Error("a regular expression that is none is compiled")
	}
}

// A list of 10,000 objects, of which each is looked at.
func BenchmarkCEL(b *testing.B) {
	e, err := Expression("body.items.all(x, x.state == 'up' && x.age < 10.0 && x.name.matches('^[a-z]+$'))")
	if err != nil {
		b.Fatal(err)
	}
	var document any
	if err := json.Unmarshal([]byte(`{"items":`+listOf(10_000, `{"state":"up","age":3,"name":"abc"}`)+`}`),
		&document); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if got, err := e.Eval(b.Context(), document); !got || err != nil {
			b.Fatal(got, err)
		}
	}
}
