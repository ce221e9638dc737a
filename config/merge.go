package config

import "gopkg.in/yaml.v3"

// merges puts YAML's merge keys (`<<: *name`) into effect, as blackbox_exporter's files may have them: a mapping's own
// keys win, then those of the first mapping merged. It also refuses a value that contains itself.
type merges struct {
	place
	open map[*yaml.Node]bool // true while the node's inside is being read, false when it is done
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
	if node.Kind != yaml.MappingNode {
		return nil
	}
	return m.merge(node)
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
