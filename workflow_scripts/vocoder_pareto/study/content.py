"""Which modules of the library can change the content of a result, and which only carry, check, name or report it.

An edit of the first makes results stale; an edit of the others never costs an hour of anybody's GPU. Every module
stands in one of the two lists, by its name below `vocoder_pareto`; a test fails where one stands in neither.
"""

from fnmatch import fnmatchcase
from functools import cache

# How values get in and out, what errors and progress look like, how jobs run: no number of a result depends on it.
BOOKKEEPING = (
    "", "__main__", "arguments", "caches", "device", "device_memory", "downloads", "errors", "files", "import_paths", 
    "locks", "owners", "parallel", "partial_files", "program", "published_weights", "workflow_files",
    "analysis", "audio", "commands", "commands.*", "conformance", "conformance.*", "generation", "listening_test",
    "measurement", "models",
    "quality", "study", "tables", "training", "training.objectives",
    "study.changes", "study.class_settings", "study.cluster", "study.code_version", "study.companions",
    "study.configuration", "study.consistency", "study.content", "study.early_checks", "study.file_content",
    "study.front_ends", "study.given_weights", "study.hop_lengths",
    "study.known_results", "study.program_settings", "study.provenance", "study.reference", "study.sections",
    "study.sections.*", "study.settings", "study.settings_faults", "study.source_facts", "study.studied_systems",
    "study.syntax_trees", "study.systems", "study.targets", "study.yaml_files",
    "audio.archives", "audio.cmu_arctic", "audio.corpus_location", "audio.front_end", "audio.ljspeech",
    "measurement.digests", "measurement.flops_check", "measurement.gpu_makers", "measurement.hardware",
    "measurement.origin_check", "measurement.own_process", "measurement.recomputed", "measurement.records",
    "measurement.set_check", "measurement.set_schema", "measurement.waiting_threads", "measurement.window_check",
    "measurement.window_schema",
    "models.conversion", "models.registry", "models.waveforms",
    "training.accounting", "training.bands", "training.budget", "training.clock", "training.curve",
    "training.divergence", "training.failures",
    "training.identity", "training.job", "training.journal", "training.loop", "training.objectives.registry",
    "training.other_code", "training.progress", "training.rates", "training.record", "training.sanity_check",
    "training.signals",
    "training.state", "training.summary", "training.train", "training.validation", "training.weights",
)  # fmt: skip

CONTENT = (
    "intervals", "passive_threads", "reflection", "units",
    "analysis.*", "generation.*", "listening_test.*", "quality.*", "tables.*",
    "audio.clips", "audio.comparison", "audio.corpora", "audio.dataset", "audio.dataset_summary", "audio.espeak",
    "audio.features", "audio.files", "audio.loudness", "audio.manifest", "audio.mels", "audio.sound", "audio.split",
    "audio.synthetic_corpus", "audio.utterance_preparation", "audio.utterances",
    "measurement.assessment", "measurement.backends", "measurement.bounds", "measurement.clip_files",
    "measurement.clocks",
    "measurement.combined_runs", "measurement.combined_windows", "measurement.complexity", "measurement.cpu_time",
    "measurement.cross_check",
    "measurement.deployment", "measurement.deployment_sweep", "measurement.disturbances", "measurement.elementwise",
    "measurement.energy", "measurement.energy_clips", "measurement.energy_meter", "measurement.flops",
    "measurement.front_end_energy", "measurement.layer_profile",
    "measurement.measured_set", "measurement.memory_traffic", "measurement.meter", "measurement.mirrored_dies",
    "measurement.nvml", "measurement.nvml_power", "measurement.of_callable", "measurement.operations",
    "measurement.other_operations",
    "measurement.power_integral",
    "measurement.powercap", "measurement.protocol", "measurement.pyjoules_units", "measurement.random_weights",
    "measurement.readings_between", "measurement.reference_energy",
    "measurement.sensor", "measurement.shape_cache", "measurement.stored_record", "measurement.sweep",
    "measurement.trained_weights", "measurement.warm_up", "measurement.work", "measurement.work_energy",
    "measurement.workload",
    "measurement.zeus_meter",
    "models.adapters", "models.alias_free", "models.band_split_discriminator", "models.bigvgan", "models.checkpoint",
    "models.chunks", "models.constant_q", "models.constant_q_discriminator", "models.diffusion", "models.diffwave",
    "models.discriminators", "models.flow", "models.flow2gan", "models.gated_matrices", "models.given_weights",
    "models.hifigan", "models.inverse_stft", "models.istftnet", "models.known_layouts", "models.layers",
    "models.layouts", "models.melgan", "models.multiband_melgan", "models.pqmf", "models.resolution_discriminator",
    "models.spectral_branch", "models.univnet", "models.vocoder", "models.vocos",
    "models.waveflow", "models.waveglow",
    "models.wavegrad",
    "study.research_crate",
    "training.batch_size", "training.batches", "training.branch", "training.dataset", "training.module",
    "training.trainer",
    "training.objectives.adversarial", "training.objectives.bigvgan", "training.objectives.decay",
    "training.objectives.denoising",
    "training.objectives.diffwave", "training.objectives.flow2gan", "training.objectives.hifigan",
    "training.objectives.least_squares", "training.objectives.likelihood", "training.objectives.mel_distance",
    "training.objectives.melgan", "training.objectives.multiband_melgan", "training.objectives.objective",
    "training.objectives.stft_loss", "training.objectives.univnet", "training.objectives.vocos",
    "training.objectives.wavegrad",
)  # fmt: skip

# They read and write no tables but the project's own, which stay the same however strictly those of users are read.
_WITH_OWN_TABLES = (
    "prepare_clips", "compute_mels", "prepare_utterances", "cut_energy_clips",
    "generate_audio", "generate_reference", "measure_energy", "measure_reference",
    "measure_set", "sweep_energy", "sweep_deployments", "profile_layers",
)  # fmt: skip

# What counts elsewhere, but cannot change what this program writes.
BOOKKEEPING_OF = {
    **dict.fromkeys(_WITH_OWN_TABLES, ("tables.csv_files", "tables.text_table")),
    # Weights do not depend on how their energy was metered, nor on the audio of validations; on recordings, they depend
    # through the clips alone.
    "train": (
        "audio.files",
        "generation.*",
        "intervals",
        "measurement.*",
        "models.chunks",
        "passive_threads",
        "quality.*",
        "tables.*",
        "units",
    ),
}


@cache
def changes_content(module: str, program: str | None = None) -> bool:
    """Whether an edit of `module`, a dotted name below `vocoder_pareto`, can change what `program` writes."""
    left_out = (*BOOKKEEPING, *BOOKKEEPING_OF.get(program or "", ()))
    return not any(fnmatchcase(module, pattern) for pattern in left_out)
