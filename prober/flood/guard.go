package flood

import (
	"sync"
	"time"

	"errno_exporter/prober/classify"
)

// What a unit costs.
const (
	UnitPrice      = 32     // useful bytes that a unit brings on average
	FreeUnits      = 20_000 // a tenth of a second of one CPU
	unitsPerSecond = 100
)

// Guard keeps the budgets of one connection's layers.
type Guard struct {
	Stop func() // ends the connection's reads and writes; called once, with mu held

	mu     sync.Mutex // guards what follows, and the budgets
	layers []*Budget
	extra  int64                // granted to every layer
	err    *classify.FloodError // the first layer's whose budget was spent; nil before
}

// Budget is what one layer may still spend, in useful bytes.
type Budget struct {
	guard        *Guard
	unit         string
	price        int64 // of one unit
	most, left   int64
	filled       time.Time
	count, bytes int64 // units, and useful bytes, of the connection's whole life
}

// Layer adds a layer of the connection, of which so many units are free.
func (g *Guard) Layer(unit string, free, price int64) *Budget {
	b := g.Budget(unit, free, price)
	g.mu.Lock()
	defer g.mu.Unlock()
	b.most, b.left = b.most+g.extra, b.left+g.extra
	g.layers = append(g.layers, b)
	return b
}

// Budget returns a layer of one exchange.
func (g *Guard) Budget(unit string, free, price int64) *Budget {
	return &Budget{guard: g, unit: unit, price: price, most: free * price, left: free * price, filled: time.Now()}
}

// Grant lets every layer spend more, for what is sent to the peer and will be acknowledged.
func (g *Guard) Grant(sent int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	more := max(0, sent) / 1024 * 4 * UnitPrice
	g.extra += more
	for _, b := range g.layers {
		b.most += more
		b.left += more
	}
}

// Err is what the peer sent too much of; nil if it did not.
func (g *Guard) Err() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err == nil {
		return nil
	}
	return g.err
}

// Charge counts units and what they brought. Its error ends the connection.
func (b *Budget) Charge(units, useful int64) error {
	g := b.guard
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err != nil {
		return g.err
	}
	b.count += units
	b.bytes += useful
	b.left = min(b.most, b.left-units*b.price+useful)
	if b.left < 0 {
		b.refill()
	}
	if b.left >= 0 {
		return nil
	}
	return b.end()
}

// Overdraw ends the connection by somebody else's bound.
func (b *Budget) Overdraw() error {
	b.guard.mu.Lock()
	defer b.guard.mu.Unlock()
	if b.guard.err != nil {
		return b.guard.err
	}
	return b.end()
}

// end makes the layer the one that ends the connection. The caller holds mu.
func (b *Budget) end() error {
	g := b.guard
	g.err = &classify.FloodError{Unit: b.unit, Count: b.count, Bytes: b.bytes}
	if g.Stop != nil {
		g.Stop()
	}
	return g.err
}

// refill adds what time has earned since the last refill.
func (b *Budget) refill() {
	now := time.Now()
	b.left = min(b.most, b.left+int64(now.Sub(b.filled).Seconds()*unitsPerSecond*UnitPrice))
	b.filled = now
}
