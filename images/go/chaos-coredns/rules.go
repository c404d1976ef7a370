package main

import (
	"net/netip"
	"path"
	"slices"
	"strings"
	"sync"
)

// rule is what one experiment does to the questions of one pod.
type rule struct {
	experiment string
	action     string
	patterns   []string // as path.Match reads them: `*` and `?`; none of them means every name
}

func (r rule) matches(name string) bool {
	return len(r.patterns) == 0 || slices.ContainsFunc(r.patterns, func(pattern string) bool {
		fits, err := path.Match(pattern, name)
		return err == nil && fits
	})
}

// rules are all that are in force, by the address that questions come from.
type rules struct {
	lock      sync.RWMutex
	byAddress map[netip.Addr][]rule
}

// set adds a rule, in the place of what the same experiment asked for before.
func (r *rules) set(address netip.Addr, wanted rule) {
	r.lock.Lock()
	defer r.lock.Unlock()
	if r.byAddress == nil {
		r.byAddress = map[netip.Addr][]rule{}
	}
	r.byAddress[address] = append(without(r.byAddress[address], wanted.experiment), wanted)
}

// cancel removes the rules of an experiment.
func (r *rules) cancel(experiment string) {
	r.lock.Lock()
	defer r.lock.Unlock()
	for address, known := range r.byAddress {
		if left := without(known, experiment); len(left) > 0 {
			r.byAddress[address] = left
		} else {
			delete(r.byAddress, address)
		}
	}
}

// find returns what is done to a question for `name` from `address`; empty when it is answered as it should be. Of
// two experiments with the same pod and name the older one counts.
func (r *rules) find(address netip.Addr, name string) string {
	r.lock.RLock()
	defer r.lock.RUnlock()
	for _, known := range r.byAddress[address] {
		if known.matches(plain(name)) {
			return known.action
		}
	}
	return ""
}

func without(known []rule, experiment string) []rule {
	return slices.DeleteFunc(slices.Clone(known), func(each rule) bool { return each.experiment == experiment })
}

// plain returns a name as patterns have it: in small letters and without the root's dot.
func plain(name string) string { return strings.TrimSuffix(strings.ToLower(name), ".") }
