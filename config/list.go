package config

import (
	"errors"
	"net/netip"
	"reflect"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// setList reads the items of a list into target. It reports each that is
// wrong, where it stands, and whether all are right.
func (r *reader) setList(s setting, in *section, target reflect.Value, value *unstable.Node, at place) (ok bool) {
	nodes, err := itemsOf(s, value)
	if err != nil {
		r.report(at, s.key, err)
		return false
	}
	items, fromFile, ok := r.expand(s, nodes, at)
	stated := map[any]bool{}
	if len(items) > 0 || s.promoted { // an empty condition was stated all the same
		target.Set(reflect.MakeSlice(s.typ, 0, len(items)))
	}
	one := reflect.New(s.typ.Elem())
	var right []item
	for _, it := range items {
		one.Elem().SetZero()
		err := decode(it.node, one.Interface())
		if err == nil {
			err = s.checkWord(one.Elem())
		}
		if err == nil && s.unique {
			if stated[one.Elem().Interface()] {
				err = faultf("%s is stated twice", encode(one.Elem()))
			}
			stated[one.Elem().Interface()] = true
		}
		if err != nil {
			r.reportAt(it.at, s.key, err)
			ok = false
			continue
		}
		target.Set(reflect.Append(target, one.Elem()))
		right = append(right, it)
	}
	if ok && fromFile {
		r.keepSource(s, in, nodes)
	}
	return r.checkOverlap(s, target, right) && ok
}

// keepSource remembers how a list was written that comes from files.
func (r *reader) keepSource(s setting, in *section, nodes []*unstable.Node) {
	words := make([]string, len(nodes))
	for i, n := range nodes {
		text := string(n.Data)
		if path, ok := strings.CutPrefix(text, filePrefix); ok {
			text = filePrefix + r.absolute(path)
		}
		words[i] = quoteTOML(text)
	}
	if r.cfg.sources == nil {
		r.cfg.sources = map[string]string{}
	}
	r.cfg.sources[join(in.id, s.name)] = "[" + strings.Join(words, ", ") + "]"
}

// itemsOf returns the items of a list, or the one that stands for a list, of
// whatever type.
func itemsOf(s setting, value *unstable.Node) ([]*unstable.Node, error) {
	switch {
	case value.Kind == unstable.Array:
		var items []*unstable.Node
		for it := value.Children(); it.Next(); {
			items = append(items, it.Node())
		}
		return items, nil
	case s.lone, value.Kind == unstable.String && strings.HasPrefix(string(value.Data), filePrefix):
		return []*unstable.Node{value}, nil
	case value.Kind == unstable.String && len(value.Data) <= maxQuoted:
		return nil, wrongType(value, "a list").hinted("write [%s]", quoteTOML(string(value.Data)))
	}
	return nil, wrongType(value, "a list").hinted(`write it in brackets, such as ["…"]`)
}

// itemPlace is where the item of a list stands that err is about, or the list.
func itemPlace(err error, list *unstable.Node, at place) place {
	var f *fault
	if errors.As(err, &f) && f.item > 0 && list.Kind == unstable.Array {
		it := list.Children()
		for range f.item {
			it.Next()
		}
		return placeOf(it.Node(), at)
	}
	return at
}

// item is an item of a list and where it stands.
type item struct {
	node *unstable.Node
	at   position
}

// expand replaces the items that name files by what is in these. The list is at
// that place.
func (r *reader) expand(s setting, nodes []*unstable.Node, list place) (items []item, fromFile, ok bool) {
	ok = true
	for _, n := range nodes {
		at := placeOf(n, list)
		path, named := strings.CutPrefix(string(n.Data), filePrefix)
		if n.Kind != unstable.String || !named {
			items = append(items, item{n, position{place: at}})
			continue
		}
		lines, read := r.listFile(s, path, at)
		items = append(items, lines...)
		fromFile, ok = true, ok && read
	}
	return items, fromFile, ok
}

// checkOverlap reports networks of which one is part of another: one of the
// two was meant otherwise.
func (r *reader) checkOverlap(s setting, list reflect.Value, items []item) (ok bool) {
	networks, isNetworks := list.Interface().([]netip.Prefix)
	if !isNetworks {
		return true
	}
	order := make([]int, len(networks))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		if c := networks[a].Addr().Compare(networks[b].Addr()); c != 0 {
			return c
		}
		return networks[a].Bits() - networks[b].Bits()
	})
	ok = true
	outer := 0
	for at, i := range order {
		switch p := networks[i]; {
		case at == 0 || !networks[outer].Overlaps(p):
			outer = i
		default:
			ok = false
			text := faultf("%s is part of %s", p, networks[outer])
			if p == networks[outer] {
				text = faultf("%s is stated twice", p)
			}
			r.reportAt(items[i].at, s.key, text)
		}
	}
	return ok
}
