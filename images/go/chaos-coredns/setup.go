package main

import (
	"strconv"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	typed "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

const pluginName = "k8s_dns_chaos"

func init() { plugin.Register(pluginName, setup) }

// settings are what a Corefile says of the plugin, in the words of upstream's:
//
//	k8s_dns_chaos [ZONES...] {
//	    grpcport PORT
//	    kubeconfig FILE CONTEXT
//	}
//
// Upstream's answers for ZONES itself, by the API server's services. This one leaves all names to the plugins after
// it, so that a chosen pod is told what every other pod is told.
type settings struct {
	port       int // of the gRPC server that takes orders
	kubeconfig string
	context    string
}

func setup(c *caddy.Controller) error {
	read, err := parse(c)
	if err != nil {
		return plugin.Error(pluginName, err)
	}
	pods, err := client(read)
	if err != nil {
		return plugin.Error(pluginName, err)
	}
	config := dnsserver.GetConfig(c)
	known := &rules{}
	config.AddPlugin(func(next plugin.Handler) plugin.Handler { return &answers{Next: next, rules: known} })
	taken := &orders{pods: pods, rules: known}
	c.OnStartup(func() error { return taken.listen(config.ListenHosts[0], read.port) })
	c.OnShutdown(taken.stop)
	return nil
}

func parse(c *caddy.Controller) (settings, error) {
	read := settings{port: 9288}
	c.Next()
	c.RemainingArgs()
	for c.NextBlock() {
		word, args := c.Val(), c.RemainingArgs()
		switch {
		case word == "grpcport" && len(args) == 1:
			port, err := strconv.ParseUint(args[0], 10, 16)
			if err != nil {
				return read, c.Errf("grpcport is no port: %s", args[0])
			}
			read.port = int(port)
		case word == "kubeconfig" && len(args) == 2:
			read.kubeconfig, read.context = args[0], args[1]
		default:
			return read, c.Errf("unknown property, or not its arguments: %s %v", word, args)
		}
	}
	if c.Next() {
		return read, plugin.ErrOnce
	}
	return read, nil
}

// client returns who can be asked for pods: by the kubeconfig, else as the pod's own ServiceAccount.
func client(read settings) (typed.PodsGetter, error) {
	load := rest.InClusterConfig
	if read.kubeconfig != "" {
		load = clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
			&clientcmd.ClientConfigLoadingRules{ExplicitPath: read.kubeconfig},
			&clientcmd.ConfigOverrides{CurrentContext: read.context},
		).ClientConfig
	}
	config, err := load()
	if err != nil {
		return nil, err
	}
	config.QPS = -1 // one small request an order; who gives orders has a limit
	return typed.NewForConfig(config)
}
