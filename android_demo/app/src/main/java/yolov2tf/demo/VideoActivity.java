package yolov2tf.demo;

import android.app.Activity;
import android.content.Context;
import android.content.Intent;
import android.net.Uri;
import android.os.Bundle;
import android.view.View;
import android.view.WindowManager;
import android.widget.Button;
import android.widget.ImageView;
import android.widget.ProgressBar;
import android.widget.TextView;
import java.util.Locale;

/**
 * The video's screen: asks for one, and draws what the network finds in its frames.
 *
 * <p>It goes on while it is on the screen, from where it was: also after it was made anew.
 */
public final class VideoActivity extends Activity implements VideoRun.Listener {
    private static final int PICK = 1;
    private static final String MODEL = "model";
    private static final String ACCELERATOR = "accelerator";
    private static final String THRESHOLD = "threshold";
    private static final String VIDEO = "video";
    private static final String AT = "at";
    private static final String ENDED = "ended";
    private static final String TROUBLE = "trouble";

    private ImageView picture;
    private OverlayView overlay;
    private TextView state;
    private TextView times;
    private ProgressBar bar;
    private Button go;
    private Uri video; // null before one is picked
    private long at; // of the frame that is shown
    private boolean ended; // at its end, by people, or by trouble
    private String trouble;
    private boolean started;
    private VideoRun run; // null while none is under way
    private OpenNetwork network;

    /** What opens it for a model. */
    static Intent of(Context context, String model, Accelerator accelerator, float threshold,
            ClassFilter classes) {
        Bundle shown = new Bundle();
        classes.save(shown);
        return new Intent(context, VideoActivity.class).putExtra(MODEL, model)
                .putExtra(ACCELERATOR, accelerator.name()).putExtra(THRESHOLD, threshold)
                .putExtras(shown);
    }

    @Override
    @SuppressWarnings("deprecation") // the typed getParcelable came with API 33
    protected void onCreate(Bundle before) {
        super.onCreate(before);
        setContentView(R.layout.video);
        getWindow().addFlags(WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON);
        picture = findViewById(R.id.picture);
        overlay = findViewById(R.id.overlay);
        state = findViewById(R.id.video_state);
        times = findViewById(R.id.video_times);
        bar = findViewById(R.id.video_bar);
        go = findViewById(R.id.video_go);
        ClassFilter classes = new ClassFilter();
        classes.restore(getIntent().getExtras());
        overlay.setFilter(classes);
        overlay.setThreshold(getIntent().getFloatExtra(THRESHOLD, 0));
        go.setOnClickListener(view -> cancelOrRepeat());
        findViewById(R.id.video_pick).setOnClickListener(view -> pick());
        if (before == null) {
            pick();
        } else {
            video = before.getParcelable(VIDEO);
            at = before.getLong(AT);
            ended = before.getBoolean(ENDED);
            trouble = before.getString(TROUBLE);
        }
        tell();
    }

    @Override
    protected void onStart() {
        super.onStart();
        started = true;
        if (video != null && run == null && trouble == null) {
            goOn(ended ? at + 1 : Long.MAX_VALUE);
        }
    }

    @Override
    protected void onStop() {
        started = false;
        stop();
        super.onStop();
    }

    @Override
    protected void onSaveInstanceState(Bundle after) {
        super.onSaveInstanceState(after);
        after.putParcelable(VIDEO, video);
        after.putLong(AT, at);
        after.putBoolean(ENDED, ended);
        after.putString(TROUBLE, trouble);
    }

    private void pick() {
        Picker.ask(this, "video/*", PICK);
    }

    @Override
    protected void onActivityResult(int request, int result, Intent data) {
        Uri answer = Picker.answer(result, data);
        if (answer != null) {
            stop();
            video = answer;
            restart();
        } else if (video == null) {
            finish(); // there is nothing to show
        }
    }

    private void restart() {
        at = 0;
        ended = false;
        trouble = null;
        picture.setImageBitmap(null);
        overlay.clear();
        state.setText(R.string.opening_video);
        bar.setProgress(0);
        if (started) {
            goOn(Long.MAX_VALUE);
        }
        tell();
    }

    private void goOn(long until) {
        ModelAssets assets = new ModelAssets(getAssets());
        NetworkRuntime runtime = ((DemoApplication) getApplication()).runtime();
        String model = getIntent().getStringExtra(MODEL);
        Accelerator accelerator =
                Accelerator.valueOf(getIntent().getStringExtra(ACCELERATOR));
        run = new VideoRun(getContentResolver(), video,
                () -> OpenNetwork.open(assets, runtime, model, accelerator), this);
        run.start(at, until);
        tell();
    }

    private void stop() {
        if (run != null) {
            run.cancel();
            run = null;
        }
    }

    private void cancelOrRepeat() {
        if (run != null) {
            stop();
            ended = true;
            tell();
        } else {
            restart();
        }
    }

    private void tell() {
        go.setText(run != null ? R.string.cancel : R.string.benchmark_again);
        go.setEnabled(video != null);
        bar.setVisibility(run != null ? View.VISIBLE : View.INVISIBLE);
        state.setAccessibilityLiveRegion(trouble == null // times change too often to be heard
                ? View.ACCESSIBILITY_LIVE_REGION_NONE : View.ACCESSIBILITY_LIVE_REGION_POLITE);
        if (trouble != null) {
            state.setText(getString(R.string.video_failed, trouble));
        }
    }

    @Override
    public void onNetwork(OpenNetwork opened) {
        network = opened;
        times.setText(opened.refusal == null ? getString(opened.runsOn.title)
                : getString(R.string.refused, getString(R.string.accelerator_gpu), opened.refusal,
                        getString(opened.runsOn.title)));
    }

    @Override
    public void onFrame(VideoRun.Frame frame) {
        at = frame.at;
        picture.setImageBitmap(frame.bitmap);
        overlay.show(frame.found, network.model.layout.classNames, true);
        state.setText(getString(R.string.video_at, time(frame.at), time(frame.duration)));
        times.setText(getString(R.string.times_picture, getString(network.runsOn.title),
                frame.prepare, frame.run));
        bar.setProgress((int) (100 * frame.at / frame.duration));
    }

    @Override
    public void onEnd(String reason) {
        run = null;
        ended = true;
        trouble = reason;
        tell();
    }

    /** Minutes, seconds and tenths. */
    private static String time(long micros) {
        long tenths = micros / 100_000;
        return String.format(Locale.ROOT, "%d:%02d.%d", tenths / 600, tenths / 10 % 60,
                tenths % 10);
    }
}
