package config

import "gopkg.in/yaml.v3"

// merges puts YAML's merge keys (`<<: *name`) into effect, as blackbox_exporter's files may have them: a mapping's own
// keys win, then those of the first mapping merged. It also refuses a value that contains itself, and a file that would
// be too long with its aliases written out: what they stand for is read each time.
type merges struct {
	place
	open map[*yaml.Node]bool // true while the node's inside is being read, false when it is done
	size map[*yaml.Node]int  // of a node that is done: the bytes of its texts, and one for each node
	most int                 // of a size
}

// How long a file may be with its aliases written out: aliasGain times its own length, and in any case so much.
const (
	aliasGain = 10
	aliasFree = 4 << 20
)

// merged puts the merge keys of a file of so many bytes into effect.
func (p place) merged(root *yaml.Node, bytes int) error {
	return merges{p, map[*yaml.Node]bool{}, map[*yaml.Node]int{}, max(aliasFree, aliasGain*bytes)}.expand(root)
}

func (m merges) expand(node *yaml.Node) error {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	open, seen := m.open[node]
	if open {
		return m.errorAt(node, "the anchor %q is used within itself: remove the alias", node.Anchor)
	}
	if seen {
		return nil
	}
	m.open[node] = true
	defer func() { m.open[node] = false }()
	for _, inside := range node.Content {
		if err := m.expand(inside); err != nil {
			return err
		}
	}
	if node.Kind == yaml.MappingNode {
		if err := m.merge(node); err != nil {
			return err
		}
	}
	return m.measure(node)
}

// measure notes the size of a node whose inside is done.
func (m merges) measure(node *yaml.Node) error {
	size := 1 + len(node.Value)
	for _, inside := range node.Content {
		size += m.size[resolved(inside)]
	}
	if m.size[node] = size; size > m.most {
		return m.errorAt(node, "with its aliases written out this is longer than %d bytes: write fewer", m.most)
	}
	return nil
}

// merge replaces the merge keys of one mapping by what they stand for.
func (m merges) merge(node *yaml.Node) error {
	var own, sources []*yaml.Node
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Tag != "!!merge" {
			own = append(own, node.Content[i], node.Content[i+1])
			continue
		}
		value := resolved(node.Content[i+1])
		if value.Kind == yaml.SequenceNode {
			sources = append(sources, value.Content...)
		} else {
			sources = append(sources, value)
		}
	}
	has := map[string]bool{}
	for i := 0; i < len(own); i += 2 {
		has[own[i].Value] = true
	}
	for _, source := range sources {
		source = resolved(source)
		if source.Kind != yaml.MappingNode {
			return m.errorAt(source, "<<: %s cannot be merged, want an alias of a mapping such as *name",
				kindName(source))
		}
		for i := 0; i+1 < len(source.Content); i += 2 {
			if name := source.Content[i].Value; !has[name] {
				has[name] = true
				own = append(own, source.Content[i], source.Content[i+1])
			}
		}
	}
	node.Content = own
	return nil
}

func resolved(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}
