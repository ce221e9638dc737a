package logs

import (
	"context"
	"fmt"
	"log/slog"
	"unicode/utf8"
)

// maxAttribute bounds the text of an attribute in bytes. A stack of a panic fits.
const maxAttribute = 4 << 10

// Bounded returns a handler that cuts messages and the texts of attributes, so that a line stays a whole one in its
// format.
func Bounded(next slog.Handler) slog.Handler { return bounded{next} }

type bounded struct{ slog.Handler }

func (h bounded) Handle(ctx context.Context, r slog.Record) error {
	cut := slog.NewRecord(r.Time, r.Level, shortened(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		cut.AddAttrs(shortenedAttr(a))
		return true
	})
	return h.Handler.Handle(ctx, cut)
}

func (h bounded) WithAttrs(attrs []slog.Attr) slog.Handler {
	cut := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		cut[i] = shortenedAttr(a)
	}
	return bounded{h.Handler.WithAttrs(cut)}
}

func (h bounded) WithGroup(name string) slog.Handler { return bounded{h.Handler.WithGroup(name)} }

// shortenedAttr is an attribute whose text is bounded. Numbers, times and the like are short.
func shortenedAttr(a slog.Attr) slog.Attr {
	value := a.Value.Resolve()
	switch value.Kind() {
	case slog.KindString:
		return slog.String(a.Key, shortened(value.String()))
	case slog.KindAny:
		if err, ok := value.Any().(error); ok {
			return slog.String(a.Key, shortened(err.Error()))
		}
		return slog.String(a.Key, shortened(fmt.Sprint(value.Any())))
	case slog.KindGroup:
		group := value.Group()
		cut := make([]any, len(group))
		for i := range group {
			cut[i] = shortenedAttr(group[i])
		}
		return slog.Group(a.Key, cut...)
	default:
		return slog.Attr{Key: a.Key, Value: value}
	}
}

func shortened(s string) string {
	if len(s) <= maxAttribute {
		return s
	}
	end := maxAttribute
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return fmt.Sprintf("%s… (%d bytes more)", s[:end], len(s)-end)
}
