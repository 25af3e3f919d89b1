package yolov2tf.demo;

import android.app.Activity;
import android.content.Context;
import android.content.Intent;
import android.os.Build;
import android.os.Bundle;
import android.view.View;
import android.view.WindowManager;
import android.widget.Button;
import android.widget.ProgressBar;
import android.widget.TextView;
import yolov2tf.core.ModelFile;
import yolov2tf.core.Spread;

/** The benchmark's screen: how long the network takes on each accelerator; to be shared as text. */
public final class BenchmarkActivity extends Activity implements Benchmark.Listener {
    static final int RUNS = 50;
    private static final String MODEL = "model";
    private static final String REPORT = "report";

    private TextView report;
    private TextView state;
    private ProgressBar bar;
    private Button again;
    private Button share;
    private Benchmark benchmark; // null while none runs
    private StringBuilder lines = new StringBuilder();

    /** What opens it for a model. */
    static Intent of(Context context, String model) {
        return new Intent(context, BenchmarkActivity.class).putExtra(MODEL, model);
    }

    @Override
    protected void onCreate(Bundle before) {
        super.onCreate(before);
        setContentView(R.layout.benchmark);
        getWindow().addFlags(WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON);
        report = findViewById(R.id.benchmark_report);
        state = findViewById(R.id.benchmark_state);
        bar = findViewById(R.id.benchmark_bar);
        again = findViewById(R.id.benchmark_again);
        share = findViewById(R.id.benchmark_share);
        again.setOnClickListener(view -> start());
        share.setOnClickListener(view -> share());
        String done = before == null ? null : before.getString(REPORT);
        if (done == null) {
            start();
        } else {
            lines.append(done);
            report.setText(done);
            onEnd(null);
        }
    }

    @Override
    protected void onSaveInstanceState(Bundle after) {
        super.onSaveInstanceState(after);
        if (benchmark == null) { // one that is under way begins anew
            after.putString(REPORT, lines.toString());
        }
    }

    @Override
    protected void onDestroy() {
        if (benchmark != null) {
            benchmark.cancel();
        }
        super.onDestroy();
    }

    private void start() {
        lines = new StringBuilder();
        report.setText("");
        again.setEnabled(false);
        share.setEnabled(false);
        bar.setVisibility(View.VISIBLE);
        String model = getIntent().getStringExtra(MODEL);
        state.setText(getString(R.string.loading, model));
        benchmark = new Benchmark(new ModelAssets(getAssets()),
                ((DemoApplication) getApplication()).runtime(), model, RUNS, this);
        benchmark.start();
    }

    private void share() {
        startActivity(Intent.createChooser(new Intent(Intent.ACTION_SEND)
                .setType("text/plain")
                .putExtra(Intent.EXTRA_SUBJECT, getString(R.string.benchmark))
                .putExtra(Intent.EXTRA_TEXT, lines.toString()), null));
    }

    @Override
    public void onModel(ModelFile model) {
        add(getString(R.string.model_info, model.name, model.layout.inputSize,
                model.layout.quantization));
        add(getString(R.string.benchmark_device, Build.MANUFACTURER, Build.MODEL,
                Build.VERSION.RELEASE, RUNS));
    }

    @Override
    public void onRun(Accelerator accelerator, int run) {
        state.setText(getString(R.string.benchmark_run, getString(accelerator.title), run, RUNS));
        bar.setProgress(100 * run / RUNS);
    }

    @Override
    public void onMeasured(Accelerator accelerator, Spread times) {
        add(getString(R.string.benchmark_times, getString(accelerator.title), times.median,
                times.p95));
    }

    @Override
    public void onRefused(Accelerator accelerator, String reason) {
        add(getString(R.string.benchmark_refused, getString(accelerator.title), reason));
    }

    @Override
    public void onEnd(String trouble) {
        benchmark = null;
        if (trouble != null) {
            add(trouble);
        }
        state.setText(R.string.benchmark_done);
        bar.setVisibility(View.INVISIBLE);
        again.setEnabled(true);
        share.setEnabled(trouble == null);
    }

    private void add(String line) {
        lines.append(lines.length() == 0 ? "" : "\n").append(line);
        report.setText(lines);
    }
}
