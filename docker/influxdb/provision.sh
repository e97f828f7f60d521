#!/bin/sh
# Run once by the image, when it has set up an empty InfluxDB: a bucket for benchmarks beside the one for real metrics,
# and the dashboard. A failure here fails the set-up, which then begins anew.
set -eu
if [ "$DOCKER_INFLUXDB_INIT_BUCKET" != sentinel_lab ]; then
    influx bucket create --org "$DOCKER_INFLUXDB_INIT_ORG" --name sentinel_lab
fi
influx apply --org "$DOCKER_INFLUXDB_INIT_ORG" --file "$(dirname "$0")/dashboard.yml" --force yes --quiet
