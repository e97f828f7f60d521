// Benthos with only the parts that the pipeline needs; its configuration is <transport>.yaml.
package main

import (
	"context"
	"os"

	_ "github.com/benthosdev/benthos/v4/public/components/io"
	_ "github.com/benthosdev/benthos/v4/public/components/pure"
	_ "github.com/benthosdev/benthos/v4/public/components/redis"
	"github.com/benthosdev/benthos/v4/public/service"
)

func main() {
	os.Args = []string{os.Args[0], "--config", os.Getenv("SENTINEL_TRANSPORT") + ".yaml"}
	service.RunCLI(context.Background())
}
