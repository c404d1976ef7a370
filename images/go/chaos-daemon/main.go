// Chaos Mesh's daemon with its fake clocks.
//
// Upstream's release puts two compiled C objects into the package pkg/time; the Go module has their sources
// only. They are compiled beside this file (see the catalogue's `embed`) and handed to that package here.
package main

import (
	"embed"
	"flag"
	"log"
	"os"
	"os/signal"
	"syscall"
	_ "unsafe" // for go:linkname

	"github.com/chaos-mesh/chaos-mesh/pkg/chaosdaemon"
	"github.com/chaos-mesh/chaos-mesh/pkg/chaosdaemon/crclients"
	chaoslog "github.com/chaos-mesh/chaos-mesh/pkg/log"
	_ "github.com/chaos-mesh/chaos-mesh/pkg/time"
	"github.com/prometheus/client_golang/prometheus"
	ctrl "sigs.k8s.io/controller-runtime"
)

//go:embed fakeclock/*.o
var compiled embed.FS

//go:linkname fakeclock github.com/chaos-mesh/chaos-mesh/pkg/time.fakeclock
var fakeclock embed.FS

func main() {
	settings := chaosdaemon.Config{Host: "0.0.0.0", CrClientConfig: &crclients.CrClientConfig{}}
	flag.IntVar(&settings.GRPCPort, "grpc-port", 31767, "port of the gRPC server")
	flag.IntVar(&settings.HTTPPort, "http-port", 31766, "port of health and metrics")
	flag.StringVar(&settings.CrClientConfig.Runtime, "runtime", "containerd", "container runtime")
	flag.StringVar(&settings.CrClientConfig.SocketPath, "runtime-socket-path", "", "its socket")
	flag.StringVar(&settings.CrClientConfig.ContainerdNS, "containerd-ns", "k8s.io", "containerd's namespace")
	flag.StringVar(&settings.CaCert, "ca", "", "certificate of the authority that signed the client's")
	flag.StringVar(&settings.Cert, "cert", "", "certificate of the gRPC server")
	flag.StringVar(&settings.Key, "key", "", "its key")
	flag.Parse()
	fakeclock = compiled

	logger, err := chaoslog.NewDefaultZapLogger()
	if err != nil {
		log.Fatal(err)
	}
	chaoslog.ReplaceGlobals(logger)
	ctrl.SetLogger(logger)

	server, err := chaosdaemon.BuildServer(&settings, prometheus.NewRegistry(), logger)
	if err != nil {
		log.Fatal(err)
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Start() }()
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGINT, syscall.SIGTERM)
	select {
	case err = <-failed:
	case <-asked:
	}
	if stopped := server.Shutdown(); err == nil {
		err = stopped
	}
	if err != nil {
		log.Fatal(err)
	}
}
