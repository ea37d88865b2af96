# What lies in the folder of results already: whether it is known here, and whether files beside the outputs are whole.
require_targets_in_results()
require_known_results()
set_damaged_aside(expand(rules.generate_audio.output.manifest, system=SYSTEMS))
set_damaged_aside(expand(rules.generate_reference.output.manifest, reference=REFERENCES))
set_damaged_aside(
    [
        rules.build_report.output.page,
        rules.export_listening_test.output.key,
        rules.export_paired_test.output.key,
        rules.write_crate.output.crate,
    ]
)

if not os.path.exists(rules.prepare_clips.output.clips):  # later nobody needs the recordings
    set_damaged_aside(rules.prepare_clips.input)
