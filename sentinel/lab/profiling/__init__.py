"""Where memory and CPU go: memray around the consumer, py-spy, flame graphs."""
