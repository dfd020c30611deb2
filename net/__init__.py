"""The one door to the network, for collectors and crm alike."""
