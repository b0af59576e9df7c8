"""What the tests of this suite share: the endpoint, Java virtual machines, Spark sessions, trust stores."""
