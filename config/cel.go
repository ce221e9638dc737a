package config

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"
	"gopkg.in/yaml.v3"
)

// CEL is an expression of the Common Expression Language on a JSON body, compiled at load.
type CEL struct {
	Text    string
	program cel.Program
}

// celInterrupt is how many comprehension steps pass between looks at the deadline.
const celInterrupt = 1000

// Eval evaluates the expression on a decoded JSON document, the variable body. The error says why there is no answer: an evaluation that
// failed, a value that is not a boolean, or the context's end.
func (c *CEL) Eval(ctx context.Context, body any) (bool, error) {
	value, _, err := c.program.ContextEval(ctx, map[string]any{"body": body})
	if err != nil {
		return false, fmt.Errorf("evaluate %q: %w", c.Text, err)
	}
	answer, ok := value.Value().(bool)
	if !ok {
		return false, fmt.Errorf("evaluate %q: the value is %s, want a boolean", c.Text, value.Type().TypeName())
	}
	return answer, nil
}

// expression reads a CEL expression.
func expression(to **CEL) key {
	return func(node *yaml.Node) error {
		if node.Kind != yaml.ScalarNode || isNull(node) {
			return errors.New("has no value, want a CEL expression")
		}
		env, err := cel.NewEnv(cel.Variable("body", cel.DynType))
		if err != nil {
			return err
		}
		ast, issues := env.Compile(node.Value)
		if issues.Err() != nil {
			return fmt.Errorf("%s, want a CEL expression on the variable body", celProblem(issues))
		}
		if t := ast.OutputType(); !t.IsExactType(cel.BoolType) && !t.IsExactType(cel.DynType) {
			return fmt.Errorf("its value is %s, want a boolean", t)
		}
		program, err := env.Program(ast, cel.EvalOptions(cel.OptOptimize), cel.InterruptCheckFrequency(celInterrupt))
		if err != nil {
			return err
		}
		*to = &CEL{node.Value, program}
		return nil
	}
}

// celProblem is the first thing that is wrong, in one line.
func celProblem(issues *cel.Issues) string {
	for _, e := range issues.Errors() {
		return strings.ReplaceAll(e.Message, "\n", " ")
	}
	return issues.Err().Error()
}
