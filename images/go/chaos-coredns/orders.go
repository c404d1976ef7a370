package main

import (
	"context"
	"net"
	"net/netip"
	"path"
	"strconv"
	"strings"

	"github.com/chaos-mesh/k8s_dns_chaos/pb"
	clog "github.com/coredns/coredns/plugin/pkg/log"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	typed "k8s.io/client-go/kubernetes/typed/core/v1"
)

var log = clog.NewWithPlugin(pluginName)

// orders are what Chaos Mesh's controller asks for: one call for every chosen container, then one for every
// container that gets its resolver back, of which the first lifts the whole experiment.
type orders struct {
	pods   typed.PodsGetter
	rules  *rules
	server *grpc.Server
}

func (o *orders) listen(host string, port int) error {
	listener, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return err
	}
	o.server = grpc.NewServer()
	pb.RegisterDNSServer(o.server, o)
	go func() {
		if err := o.server.Serve(listener); err != nil {
			log.Errorf("no more orders can be taken: %v", err)
		}
	}()
	return nil
}

func (o *orders) stop() error {
	if o.server != nil {
		o.server.Stop()
	}
	return nil
}

// SetDNSChaos makes the questions of some pods be answered wrongly from now on.
func (o *orders) SetDNSChaos(ctx context.Context, asked *pb.SetDNSChaosRequest) (*pb.DNSChaosResponse, error) {
	if asked.Action != actionError && asked.Action != actionRandom {
		return nil, status.Errorf(codes.InvalidArgument, "unknown action %q", asked.Action)
	}
	wanted := rule{experiment: asked.Name, action: asked.Action}
	for _, pattern := range asked.Patterns {
		if _, err := path.Match(pattern, ""); err != nil {
			return nil, status.Errorf(codes.InvalidArgument, "pattern %q: %v", pattern, err)
		}
		wanted.patterns = append(wanted.patterns, plain(pattern))
	}
	for _, each := range asked.Pods {
		addresses, err := o.addresses(ctx, each)
		if err != nil {
			return nil, err
		}
		for _, address := range addresses {
			o.rules.set(address, wanted)
		}
		log.Infof("%s: %s/%s %v: %s for %s", asked.Name, each.Namespace, each.Name, addresses, asked.Action,
			strings.Join(wanted.patterns, " "))
	}
	return &pb.DNSChaosResponse{Result: true}, nil
}

// CancelDNSChaos ends an experiment, and is done when there is none of that name.
func (o *orders) CancelDNSChaos(_ context.Context, asked *pb.CancelDNSChaosRequest) (*pb.DNSChaosResponse, error) {
	o.rules.cancel(asked.Name)
	log.Infof("%s: lifted", asked.Name)
	return &pb.DNSChaosResponse{Result: true}, nil
}

// addresses returns those by which a pod's questions are known. They are asked for once: a pod that gets others
// gets its own resolver back with them.
func (o *orders) addresses(ctx context.Context, asked *pb.Pod) ([]netip.Addr, error) {
	pod, err := o.pods.Pods(asked.Namespace).Get(ctx, asked.Name, meta.GetOptions{})
	if err != nil {
		return nil, status.Errorf(codes.Unavailable, "pod %s/%s: %v", asked.Namespace, asked.Name, err)
	}
	var found []netip.Addr
	for _, each := range pod.Status.PodIPs {
		if address, err := netip.ParseAddr(each.IP); err == nil {
			found = append(found, address)
		}
	}
	if len(found) == 0 {
		return nil, status.Errorf(codes.Unavailable, "pod %s/%s has no address", asked.Namespace, asked.Name)
	}
	return found, nil
}
