"""Settings for all tests: hypothesis has no deadline, since a slow machine is not a bug."""

import hypothesis

hypothesis.settings.register_profile("fastmlp", deadline=None)
hypothesis.settings.load_profile("fastmlp")
