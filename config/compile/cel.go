package compile

import (
	"context"
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"

	"errno_exporter/prober/module"
)

// Expression compiles a CEL expression on the variable body.
func Expression(text string) (*module.CEL, error) {
	env, err := cel.NewEnv(cel.Variable("body", cel.DynType))
	if err != nil {
		return nil, err
	}
	ast, issues := env.Compile(text)
	if issues.Err() != nil {
		return nil, fmt.Errorf("%s, want a CEL expression on the variable body", celProblem(issues))
	}
	if t := ast.OutputType(); !t.IsExactType(cel.BoolType) && !t.IsExactType(cel.DynType) {
		return nil, fmt.Errorf("its value is %s, want a boolean", t)
	}
	program, err := env.Program(ast, cel.EvalOptions(cel.OptOptimize), cel.InterruptCheckFrequency(celInterrupt),
		cel.CustomDecoratorV2(bounded))
	if err != nil {
		return nil, err
	}
	return &module.CEL{Text: text, Eval: func(ctx context.Context, body any) (bool, error) {
		value, err := evaluate(ctx, program, body)
		if err != nil {
			return false, fmt.Errorf("evaluate %q: %w", text, err)
		}
		return value, nil
	}}, nil
}

func evaluate(ctx context.Context, program cel.Program, body any) (bool, error) {
	value, _, err := program.ContextEval(ctx, map[string]any{"body": body, madeName: newMade(body)})
	if err != nil && ctx.Err() != nil {
		return false, fmt.Errorf("%w: %w", err, context.Cause(ctx))
	}
	if err != nil {
		return false, err
	}
	answer, ok := value.Value().(bool)
	if !ok {
		return false, fmt.Errorf("the value is %s, want a boolean", value.Type().TypeName())
	}
	return answer, nil
}

// celProblem is the first thing that is wrong, in one line.
func celProblem(issues *cel.Issues) string {
	for _, e := range issues.Errors() {
		return strings.ReplaceAll(e.Message, "\n", " ")
	}
	return issues.Err().Error()
}
