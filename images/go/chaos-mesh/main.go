// Chaos Mesh's controller, which also finds the DNS server that lies beside it.
//
// Limited to one namespace, upstream's own knows no object of another one. The DNS server's Service and pods it looks
// for all the same in the namespace that it runs in, and injects no DNSChaos: "unknown namespace for the cache". Here
// such questions go to the API server itself. There is no admission webhook; the port for them is listened on, since
// that is what the probes of either program ask.
package main

import (
	"context"
	"log"

	"github.com/chaos-mesh/chaos-mesh/cmd/chaos-controller-manager/provider"
	"github.com/chaos-mesh/chaos-mesh/controllers"
	"github.com/chaos-mesh/chaos-mesh/controllers/config"
	"github.com/chaos-mesh/chaos-mesh/controllers/types"
	"github.com/chaos-mesh/chaos-mesh/pkg/grpc"
	chaoslog "github.com/chaos-mesh/chaos-mesh/pkg/log"
	"github.com/chaos-mesh/chaos-mesh/pkg/metrics"
	"github.com/chaos-mesh/chaos-mesh/pkg/selector"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/fx"
	"go.uber.org/fx/fxevent"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	registry "sigs.k8s.io/controller-runtime/pkg/metrics"
)

func main() {
	logger, err := chaoslog.NewDefaultZapLogger()
	if err != nil {
		log.Fatal(err)
	}
	chaoslog.ReplaceGlobals(logger)
	ctrl.SetLogger(logger)
	grpc.RPCTimeout = config.ControllerCfg.RPCTimeout
	app := fx.New(
		fx.WithLogger(func() fxevent.Logger { return fxevent.NopLogger }), // errors come back below
		fx.Supply(logger, registry.Registry.(*prometheus.Registry)),
		fx.Provide(metrics.NewChaosControllerManagerMetricsCollector),
		provider.Module,
		controllers.Module,
		selector.Module,
		types.ChaosObjects,
		fx.Decorate(withOwnNamespace),
		fx.Invoke(func(manager ctrl.Manager) error {
			manager.GetWebhookServer()
			return manager.Start(ctrl.SetupSignalHandler())
		}),
	)
	if app.Err() != nil {
		log.Fatal(app.Err())
	}
}

// clients are what upstream provides: the one of all controllers, and who asks the API server without a cache.
type clients struct {
	fx.In
	client.Client
	Live client.Reader `name:"no-cache"`
}

func withOwnNamespace(given clients) client.Client {
	return both{given.Client, given.Live, config.ControllerCfg.Namespace}
}

// both asks `live` for what lies in the namespace `own`, and else the client that it is.
type both struct {
	client.Client
	live client.Reader
	own  string
}

// Get reads one object.
func (b both) Get(ctx context.Context, key client.ObjectKey, into client.Object, opts ...client.GetOption) error {
	if key.Namespace == b.own {
		return b.live.Get(ctx, key, into, opts...)
	}
	return b.Client.Get(ctx, key, into, opts...)
}

// List reads the objects of a kind.
func (b both) List(ctx context.Context, into client.ObjectList, opts ...client.ListOption) error {
	asked := (&client.ListOptions{}).ApplyOptions(opts)
	if asked.Namespace == b.own {
		return b.live.List(ctx, into, opts...)
	}
	return b.Client.List(ctx, into, opts...)
}
