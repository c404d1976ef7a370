// Chaos Mesh's DNS server: CoreDNS that answers chosen pods wrongly and sends every other question on.
//
// Upstream's plugin is on the module proxy as v0.2.0 alone, of 2021. With CoreDNS 1.7.0 it builds as it is, and
// cannot be used: it answers the order to lift a fault with nothing, which the controller of Chaos Mesh 2.8 takes
// for a failure and never gives the pods their own resolver back. So its definition of the orders is used, under
// its name in the Corefile, and what is done upon them is here, with the CoreDNS that the cluster itself runs.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/forward"
	_ "github.com/coredns/coredns/plugin/health"
)

func main() {
	// The order in which plugins see a question. No cache: it would hold answers of before a fault, and of the
	// fault for those who were not chosen; the server that questions are sent on to has one.
	dnsserver.Directives = []string{"bind", "health", "errors", pluginName, "forward"}
	coremain.Run()
}
