package yolov2tf.demo;

import android.Manifest;
import android.app.Activity;
import android.content.Context;
import android.content.Intent;
import android.content.pm.PackageManager;
import android.content.res.Configuration;
import android.hardware.display.DisplayManager;
import android.media.Image;
import android.net.Uri;
import android.os.Bundle;
import android.os.Handler;
import android.os.Looper;
import android.provider.Settings;
import android.view.SurfaceView;
import android.view.View;
import android.view.ViewGroup;
import android.view.WindowManager;
import android.widget.LinearLayout;
import android.widget.TextView;
import java.io.IOException;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import yolov2tf.core.Detections;
import yolov2tf.core.Layout;
import yolov2tf.core.ModelFile;

/**
 * Shows what the network finds, in what the camera sees or in a picked picture.
 *
 * <p>Camera and network live from resume to pause. Whatever may start the camera (resuming, the
 * permission, a surface of the right size) calls {@link #startCamera}, which looks whether all of
 * it is there.
 */
public final class MainActivity extends Activity
        implements DisplayManager.DisplayListener, Controls.Listener {
    private static final int ASK_CAMERA = 1;
    private static final int PICK_PICTURE = 2;

    private OverlayView overlay;
    private TextView noticeText;
    private View notice;
    private View allow;
    private Controls controls;

    private LiveCamera camera;
    private Analyzer analyzer; // null while paused
    private volatile PickedPicture picture; // null for the camera
    private boolean resumed;
    private boolean asked;

    // === Lifecycle ===

    @Override
    @SuppressWarnings("deprecation") // getDisplay() came with API 30
    protected void onCreate(Bundle state) {
        super.onCreate(state);
        setContentView(R.layout.main);
        getWindow().addFlags(WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON);
        overlay = findViewById(R.id.overlay);
        notice = findViewById(R.id.notice);
        noticeText = findViewById(R.id.notice_text);
        allow = findViewById(R.id.allow);
        allow.setOnClickListener(view -> openSettings());
        camera = new LiveCamera(this, getWindowManager().getDefaultDisplay(),
                findViewById(R.id.preview),
                this.<SurfaceView>findViewById(R.id.camera).getHolder(), this::startCamera);
        controls = new Controls(findViewById(R.id.panel), modelNames(), this);
        arrange();
    }

    @Override
    protected void onResume() {
        super.onResume();
        resumed = true;
        hush();
        displays().registerDisplayListener(this, new Handler(Looper.getMainLooper()));
        analyzer = new Analyzer(new ModelAssets(getAssets()), new Results());
        analyzer.setThreshold(controls.threshold());
        if (!controls.hasModels()) {
            say(getString(R.string.no_models), false);
            return;
        }
        loadModel();
        if (picture == null) {
            startCamera();
        }
    }

    @Override
    protected void onPause() {
        resumed = false;
        displays().unregisterDisplayListener(this);
        camera.stop();
        analyzer.close();
        analyzer = null;
        super.onPause();
    }

    @Override
    public void onConfigurationChanged(Configuration configuration) {
        super.onConfigurationChanged(configuration);
        arrange();
        camera.turn();
    }

    // === Camera ===

    /** Starts the camera if everything that it needs is there; else asks for what is missing. */
    private void startCamera() {
        if (!resumed || camera.runs() || picture != null || !controls.hasModels()) {
            return;
        }
        if (checkSelfPermission(Manifest.permission.CAMERA) != PackageManager.PERMISSION_GRANTED) {
            askForCamera();
            return;
        }
        int count = camera.find();
        controls.setCameras(count);
        if (count == 0) {
            say(getString(R.string.no_camera), false);
            return;
        }
        overlay.setMirrored(camera.mirrored());
        camera.start(new Frames(analyzer));
    }

    private void askForCamera() {
        if (asked) {
            say(getString(R.string.camera_denied), true);
        } else {
            asked = true;
            requestPermissions(new String[] {Manifest.permission.CAMERA}, ASK_CAMERA);
        }
    }

    @Override
    public void onRequestPermissionsResult(int request, String[] permissions, int[] answers) {
        startCamera(); // onResume may have come before the answer, or comes after it
    }

    private void openSettings() {
        startActivity(new Intent(Settings.ACTION_APPLICATION_DETAILS_SETTINGS,
                Uri.fromParts("package", getPackageName(), null)));
    }

    // === The screen ===

    /** Puts the controls below the preview, or beside it where the screen is wide. */
    private void arrange() {
        boolean wide = getResources().getConfiguration().orientation
                == Configuration.ORIENTATION_LANDSCAPE;
        LinearLayout root = findViewById(R.id.root);
        root.setOrientation(wide ? LinearLayout.HORIZONTAL : LinearLayout.VERTICAL);
        int all = ViewGroup.LayoutParams.MATCH_PARENT;
        int panelWidth = Math.round(280 * getResources().getDisplayMetrics().density);
        findViewById(R.id.stage).setLayoutParams(wide
                ? new LinearLayout.LayoutParams(0, all, 1)
                : new LinearLayout.LayoutParams(all, 0, 1));
        findViewById(R.id.panel).setLayoutParams(wide
                ? new LinearLayout.LayoutParams(panelWidth, all)
                : new LinearLayout.LayoutParams(all, ViewGroup.LayoutParams.WRAP_CONTENT));
    }

    /** Half a turn changes no configuration, only the display. */
    @Override
    public void onDisplayChanged(int id) {
        camera.turn();
    }

    @Override
    public void onDisplayAdded(int id) {}

    @Override
    public void onDisplayRemoved(int id) {}

    private DisplayManager displays() {
        return (DisplayManager) getSystemService(Context.DISPLAY_SERVICE);
    }

    private void say(String message, boolean mayAllow) {
        noticeText.setText(message);
        allow.setVisibility(mayAllow ? View.VISIBLE : View.GONE);
        notice.setVisibility(View.VISIBLE);
    }

    private void hush() {
        notice.setVisibility(View.GONE);
    }

    // === Controls ===

    private List<String> modelNames() {
        try {
            return new ModelAssets(getAssets()).names();
        } catch (IOException error) {
            return Collections.emptyList();
        }
    }

    private void loadModel() {
        overlay.clear();
        controls.showTimes(getString(R.string.loading, controls.model()));
        analyzer.load(controls.model(), controls.accelerator());
        lookAtPicture();
    }

    @Override
    public void onModelChosen() {
        if (analyzer != null) {
            hush();
            loadModel();
        }
    }

    @Override
    public void onThresholdChosen(float threshold) {
        if (analyzer != null) {
            analyzer.setThreshold(threshold);
            lookAtPicture();
        }
    }

    @Override
    public void onOtherCamera() {
        camera.stop();
        camera.next();
        overlay.clear();
        hush();
        startCamera();
    }

    @Override
    public void onPickPicture() {
        if (picture != null) {
            picture = null;
            controls.setPictureShown(false);
            overlay.setPicture(null);
            hush();
            startCamera();
            return;
        }
        Intent intent = new Intent(Intent.ACTION_GET_CONTENT)
                .setType("image/*")
                .addCategory(Intent.CATEGORY_OPENABLE);
        startActivityForResult(Intent.createChooser(intent, null), PICK_PICTURE);
    }

    @Override
    protected void onActivityResult(int request, int result, Intent data) {
        if (request != PICK_PICTURE || result != RESULT_OK || data == null
                || data.getData() == null) {
            return;
        }
        try { // onResume follows, loads the model and looks at the picture
            picture = PickedPicture.read(getContentResolver(), data.getData());
            overlay.setPicture(picture.bitmap);
            controls.setPictureShown(true);
            hush();
        } catch (IOException | SecurityException error) {
            String message = getString(R.string.picture_failed, error.getMessage());
            overlay.post(() -> say(message, false)); // onResume, which follows, hushes
        }
    }

    private void lookAtPicture() {
        if (picture != null) {
            analyzer.look(picture.pixels());
        }
    }

    // === What comes from other threads ===

    /** Frames of one camera for one analyzer; both end with the next pause. */
    private final class Frames implements Camera.Listener {
        private final Analyzer analyzer;

        Frames(Analyzer analyzer) {
            this.analyzer = analyzer;
        }

        @Override
        public void onFrame(Image image) {
            analyzer.offer(image, camera.rotation());
        }

        @Override
        public void onLost() {
            runOnUiThread(() -> say(getString(R.string.camera_lost), false));
        }

        @Override
        public void onFailed(String reason) {
            runOnUiThread(() -> say(getString(R.string.camera_failed, reason), false));
        }
    }

    private final class Results implements Analyzer.Listener {
        @Override
        public void onModel(ModelFile model, String runsOn) {
            Layout layout = model.layout;
            String info = getString(R.string.model_info, model.name, layout.inputSize,
                    layout.quantization);
            String about = model.author.isEmpty() && model.license.isEmpty()
                    ? info : getString(R.string.model_by, info, model.author, model.license);
            runOnUiThread(() -> {
                controls.showModel(about);
                controls.showTimes(runsOn);
            });
        }

        @Override
        public void onDetections(ModelFile model, Detections found) {
            overlay.show(found, model.layout.classNames);
            if (picture != null) { // twenty announcements a second would help nobody
                String words = words(found, model.layout.classNames);
                runOnUiThread(() -> overlay.setContentDescription(words));
            }
        }

        @Override
        public void onTimes(String runsOn, float prepare, float run, float framesPerSecond) {
            String times = getString(R.string.times, runsOn, prepare, run, framesPerSecond);
            runOnUiThread(() -> controls.showTimes(times));
        }

        @Override
        public void onModelFailed(String name, Exception reason) {
            runOnUiThread(() ->
                    say(getString(R.string.model_failed, name, reason.getMessage()), false));
        }

        @Override
        public void onNetworkFailed(RuntimeException reason) {
            runOnUiThread(() ->
                    say(getString(R.string.network_failed, reason.getMessage()), false));
        }

        private String words(Detections found, List<String> names) {
            if (found.count() == 0) {
                return getString(R.string.nothing_found);
            }
            StringBuilder words = new StringBuilder();
            for (int i = 0; i < found.count(); i++) {
                words.append(String.format(Locale.getDefault(), "%s %.0f %%, ",
                        names.get(found.label(i)), 100 * found.score(i)));
            }
            return words.substring(0, words.length() - 2);
        }
    }
}
