package compile

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"
)

// How an evaluation is bounded. The server chooses the body, and with it how often a step runs, and on how much.
//
//   - Time: the deadline is checked after each step of a comprehension, and while a long text is compared with a
//     regular expression. No other single step takes more than the time in which the body was parsed.
//   - Memory: what an expression makes of a body (texts that are put together, lists, maps) takes at most freeMade and
//     madeOfBody times what the body takes.

// celInterrupt is how many steps of a comprehension, or pieces of a long text, pass between checks of the deadline: one
// step may go through all of a long list.
const celInterrupt = 1

const (
	freeMade   = 1 << 20
	madeOfBody = 4
)

// What values take in memory beside their texts.
const (
	sizeOfElement = 32
	sizeOfEntry   = 96
)

var errMadeTooMuch = errors.New("it makes more of the body than it may take in memory")

// made is what an evaluation has made.
type made struct {
	body any
	left int  // bytes
	full bool // the body's share is in left
}

// madeName is the variable that holds it. No expression can name it.
const madeName = "#made"

func newMade(body any) *made { return &made{body: body, left: freeMade} }

// take accounts bytes, and ends the evaluation where they are too many.
func (m *made) take(n int) {
	if m.left -= n; m.left < 0 && !m.full {
		m.full = true
		m.left += madeOfBody * sizeOf(m.body)
	}
	if m.left < 0 {
		panic(interpreter.EvalCancelledError{Message: errMadeTooMuch.Error(), Cause: interpreter.MemoryLimitExceeded})
	}
}

// sizeOf is what JSON takes in memory.
func sizeOf(value any) int {
	size := sizeOfElement
	switch v := value.(type) {
	case string:
		size += len(v)
	case []any:
		for _, element := range v {
			size += sizeOf(element)
		}
	case map[string]any:
		for key, element := range v {
			size += sizeOfEntry + len(key) + sizeOf(element)
		}
	}
	return size
}

// bounded replaces the parts of an expression that need a bound of their own.
func bounded(i interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
	switch part := i.(type) {
	case interpreter.InterpretableCall:
		switch part.Function() {
		case operators.Add, overloads.TypeConvertBytes, overloads.TypeConvertString:
			return &making{part}, nil
		case overloads.Matches:
			return newMatches(part)
		}
	case interpreter.InterpretableConstructor:
		if values := part.InitVals(); !constant(values) && (len(values) > 1 || part.Type() != types.ListType) {
			return &building{part, sizeOfEntry + sizeOfEntry*len(values)}, nil
		}
	}
	return i, nil
}

// constant reports whether all values are constants. Such a list or map is made once.
func constant(values []interpreter.InterpretableV2) bool {
	return !slices.ContainsFunc(values, func(v interpreter.InterpretableV2) bool {
		_, ok := v.(interpreter.InterpretableConst)
		return !ok
	})
}

// making is a call that makes a text, or adds to a list.
type making struct{ interpreter.InterpretableCall }

// Exec implements interpreter.InterpretableV2.
func (m *making) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	value := m.InterpretableCall.Exec(frame)
	switch v := value.(type) {
	case types.String:
		take(frame, sizeOfElement+len(v))
	case types.Bytes:
		take(frame, sizeOfElement+len(v))
	case traits.Lister:
		take(frame, sizeOfElement)
	}
	return value
}

// Eval implements interpreter.Interpretable.
func (m *making) Eval(vars interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(vars, m.Exec)
}

// building is a list, a map or a message that is made of other values. A list of one element is what a comprehension
// adds to its result, and counts there.
type building struct {
	interpreter.InterpretableConstructor
	size int
}

// Exec implements interpreter.InterpretableV2.
func (b *building) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	take(frame, b.size)
	return b.InterpretableConstructor.Exec(frame)
}

// Eval implements interpreter.Interpretable.
func (b *building) Eval(vars interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(vars, b.Exec)
}

// take accounts bytes of the evaluation at hand. Constants are evaluated without one, when the program is made.
func take(frame *interpreter.ExecutionFrame, n int) {
	if value, ok := frame.ResolveName(madeName); ok {
		value.(*made).take(n)
	}
}

// matches compares a text with a regular expression.
type matches struct {
	interpreter.InterpretableV2
	text, pattern interpreter.InterpretableV2
	re            *regexp.Regexp // nil for a pattern that is not constant
}

// newMatches compiles the expression of a call, if it is a constant.
func newMatches(call interpreter.InterpretableCall) (interpreter.InterpretableV2, error) {
	args := call.Args()
	if len(args) != 2 {
		return call, nil
	}
	m := &matches{InterpretableV2: call, text: args[0], pattern: args[1]}
	if constant, ok := m.pattern.(interpreter.InterpretableConst); ok {
		pattern, ok := constant.Value().(types.String)
		if !ok {
			return call, nil
		}
		re, err := regexp.Compile(string(pattern))
		if err != nil {
			return nil, fmt.Errorf("matches: %w", err)
		}
		m.re = re
	}
	return m, nil
}

// longText is the size in bytes from which a text is compared in pieces, between which the deadline is checked.
const longText = 4 << 10

// Exec implements interpreter.InterpretableV2.
func (m *matches) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	value := m.text.Exec(frame)
	text, ok := value.(types.String)
	if !ok {
		return m.noText(value)
	}
	re := m.re
	if re == nil {
		value = m.pattern.Exec(frame)
		pattern, ok := value.(types.String)
		if !ok {
			return m.noText(value)
		}
		var err error
		if re, err = regexp.Compile(string(pattern)); err != nil {
			return types.NewErrWithNodeID(m.ID(), "%v", err)
		}
	}
	if len(text) <= longText {
		return types.Bool(re.MatchString(string(text)))
	}
	if prefix, _ := re.LiteralPrefix(); !strings.Contains(string(text), prefix) {
		return types.False
	}
	return types.Bool(re.MatchReader(&pieces{text: string(text), frame: frame}))
}

// Eval implements interpreter.Interpretable.
func (m *matches) Eval(vars interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(vars, m.Exec)
}

// noText is the value of a call with an argument that is no text.
func (m *matches) noText(value ref.Val) ref.Val {
	if types.IsUnknownOrError(value) {
		return value
	}
	return types.NewErrWithNodeID(m.ID(), "no such overload: %s", overloads.Matches)
}

// pieces is a long text that a regular expression reads until the deadline.
type pieces struct {
	text  string
	frame *interpreter.ExecutionFrame
	read  int // runes
}

// ReadRune implements io.RuneReader. It ends the evaluation at the deadline: what was read until then says nothing.
func (p *pieces) ReadRune() (rune, int, error) {
	const between = 256 // an expression may be large, and takes its size in steps for each rune
	if p.read++; p.read%between == 0 && p.frame.CheckInterrupt() {
		panic(interpreter.EvalCancelledError{Message: "operation interrupted", Cause: interpreter.ContextCancelled})
	}
	if p.text == "" {
		return 0, 0, io.EOF
	}
	r, size := utf8.DecodeRuneInString(p.text)
	p.text = p.text[size:]
	return r, size, nil
}
