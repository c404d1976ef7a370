package main

import (
	"context"
	"crypto/rand"
	"net"
	"net/netip"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"
)

const (
	actionError  = "error"
	actionRandom = "random"
)

// answers stand before the plugins that know names.
type answers struct {
	Next  plugin.Handler
	rules *rules
}

// Name is the plugin's.
func (a *answers) Name() string { return pluginName }

// ServeDNS answers SERVFAIL or with a random address where a rule says so.
func (a *answers) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	asked := request.Request{W: w, Req: r}
	switch a.rules.find(source(asked), asked.Name()) {
	case "":
		return plugin.NextOrFailure(a.Name(), a.Next, ctx, w, r)
	case actionRandom:
		return random(asked)
	default:
		return dns.RcodeServerFailure, nil
	}
}

func source(asked request.Request) netip.Addr {
	address, _ := netip.ParseAddr(asked.IP()) // what is no address has no rule
	return address.Unmap().WithZone("")
}

// random answers with an address that nobody can have, so that what the service sends there reaches no stranger:
// 198.18.0.0/15 is for measurements (RFC 2544), 2001:db8::/32 for documentation (RFC 3849). No cache may keep it.
func random(asked request.Request) (int, error) {
	drawn := make([]byte, 16)
	rand.Read(drawn) // never fails
	head := dns.RR_Header{Name: asked.QName(), Rrtype: asked.QType(), Class: dns.ClassINET}
	reply := new(dns.Msg).SetReply(asked.Req)
	switch asked.QType() {
	case dns.TypeA:
		reply.Answer = []dns.RR{&dns.A{Hdr: head, A: net.IPv4(198, 18|drawn[0]&1, drawn[1], drawn[2])}}
	case dns.TypeAAAA:
		copy(drawn, []byte{0x20, 0x01, 0x0d, 0xb8})
		reply.Answer = []dns.RR{&dns.AAAA{Hdr: head, AAAA: drawn}}
	default:
		return dns.RcodeServerFailure, nil
	}
	return dns.RcodeSuccess, asked.W.WriteMsg(reply)
}
